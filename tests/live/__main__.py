"""Write which claims rest on what into docs/explanation/tested.md: ``cd tests; python -m live``."""

from .facts import FACTS
from .report import PAGE, claims, with_claims

if __name__ == "__main__":
    PAGE.write_text(with_claims(PAGE.read_text(encoding="utf-8"), claims(FACTS)), encoding="utf-8")
