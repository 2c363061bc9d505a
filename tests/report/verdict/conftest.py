"""The verdicts of the tests of `numlint.confirm`, and the validator of SARIF."""

from __future__ import annotations

from tests.confirm.conftest import check, confirmed, rules
from tests.report.test_sarif import validator

__all__ = ["check", "confirmed", "rules", "validator"]
