import sys
from pathlib import Path

TOY = Path(__file__).parents[1] / "train"
sys.path.insert(0, str(TOY))
