"""Scoreback's connector for Abacus."""
