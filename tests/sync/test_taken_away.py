"""A connection whose file was taken away: what it told still counts, nothing is written to it."""

from sync.scored import ScoreOptions
from tests.sync.company import Company


def test_a_connection_that_is_gone_stops_neither_scoring_nor_the_others(company: Company) -> None:
    assert not company.cycle().failed
    (company.config_folder / "connections" / "salesforce.yaml").unlink()
    company.reset_stats()

    outcome = company.cycle(score=ScoreOptions(full=True))

    assert not outcome.failed
    assert outcome.score is not None
    assert outcome.score.deals >= len(company.deals("salesforce"))
    assert company.calls()["salesforce"] == 0
