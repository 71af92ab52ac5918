"""Whom a file means: people by id, key, e-mail or name, as targets and ratings name them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sync.config import Config
from sync.config_errors import nearest
from sync.facts_of import facts_of, view_of
from sync.store.engine import Tx


@dataclass(frozen=True, slots=True)
class Found:
    """Whether anybody is meant, and who they are where that is more than one person."""

    known: bool
    several: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subjects:
    """Every word that names somebody, with the people it names."""

    words: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, tx: Tx, config: Config) -> "Subjects":
        """Everybody that the store knows."""
        facts = facts_of(config, tx, view_of(config, None), kinds=("person",))
        words: dict[str, set[str]] = defaultdict(set)
        for key, person in facts.aliases.iter_rows():
            words[key].add(person)
            words[key.partition(":")[2]].add(person)
        for person, name, email in facts.people.select("person", "name", "email").iter_rows():
            for word in (name, email and email.strip().casefold()):
                if word:
                    words[word].add(person)
        return cls({word: frozenset(people) for word, people in words.items()})

    @property
    def any(self) -> bool:
        """Whether anybody is known at all."""
        return bool(self.words)

    def find(self, text: str) -> Found:
        """Who is meant."""
        people = self.words.get(text) or self.words.get(text.strip().casefold()) or frozenset()
        return Found(bool(people), tuple(sorted(people)) if len(people) > 1 else ())

    def near(self, text: str) -> str:
        """Advice with the nearest name, else how to mend it."""
        return nearest(text, self.words) or " Write an id, e-mail or name as the CRM has it, or import people first"
