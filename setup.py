"""What pyproject.toml cannot say: the recipes, folder by folder, go to ``share/egca/recipes`` of the environment."""

from pathlib import Path

from setuptools import setup

folders = [folder for folder in [Path("recipes"), *sorted(Path("recipes").rglob("*"))] if folder.is_dir()]
setup(
    data_files=[
        (f"share/egca/{folder}", [str(file) for file in sorted(folder.iterdir()) if file.is_file()])
        for folder in folders
        if folder.name != "__pycache__"
    ]
)
