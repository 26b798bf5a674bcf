import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_an_app_with_pictures_and_charts_starts_without_numpy_and_pillow() -> None:
    program = """
import sys
import tuiapp.graphics.appmixin, tuiapp.graphics.probe, tuiapp.graphics.show
import tuiapp.widgets.loss_chart, tuiapp.widgets.picture
print([name for name in ("numpy", "PIL", "cv2", "tensorflow") if name in sys.modules])
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
