"""Settings in pyproject.toml and numlint.toml: found upwards, read, and refused with a reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from numlint.config import DEFAULT_EXCLUDE, Config, ConfigError, ConfirmSettings, find, load
from numlint.finding import Confidence, Severity
from numlint.rule import Rule
from numlint.selection import Layer

PYPROJECT = """\
[project]
name = "subject"

[tool.numlint]
select = ["NL1", "explicit-inverse"]
ignore = [
    "naive-softmax",
    "NL102",
]
extend-select = ["NL9"]
exclude = ["vendored"]
extend-exclude = ["*_pb2.py"]
min-confidence = "possible"
rule-packs = ["my_rules"]
src = ["lib"]
respect-gitignore = false

[tool.numlint.per-path."tests/**"]
ignore = ["NL6"]
min-confidence = "certain"

[tool.numlint.per-path."legacy/*.py"]
select = ["NL4"]
"""


def write(folder: Path, content: str, name: str = "pyproject.toml") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(content)
    return str(folder / name)


def refusal(folder: Path, content: str, name: str = "pyproject.toml") -> str:
    """The error message of a configuration, without the folder."""
    with pytest.raises(ConfigError) as caught:
        load(write(folder, content, name))
    return str(caught.value).replace(str(folder) + os.sep, "")


def test_every_setting_is_read(tmp_path: Path) -> None:
    config = load(write(tmp_path, PYPROJECT))
    assert config.root == str(tmp_path)
    assert config.layer == Layer(("NL1", "explicit-inverse"), ("NL9",), ("naive-softmax", "NL102"))
    assert config.min_confidence is Confidence.POSSIBLE
    assert (config.exclude, config.extend_exclude) == (("vendored",), ("*_pb2.py",))
    assert (config.rule_packs, config.src, config.respect_gitignore) == (("my_rules",), ("lib",), False)
    tests, legacy = config.per_path
    assert (tests.pattern, tests.layer, tests.min_confidence) == (
        "tests/**",
        Layer(ignore=("NL6",)),
        Confidence.CERTAIN,
    )
    assert (legacy.pattern, legacy.layer.select, legacy.min_confidence) == ("legacy/*.py", ("NL4",), None)


def test_numlint_toml_holds_the_same_without_a_section(tmp_path: Path) -> None:
    own = PYPROJECT.partition("[tool.numlint]\n")[2].replace("tool.numlint.", "")
    there, here = load(write(tmp_path, PYPROJECT)), load(write(tmp_path, own, "numlint.toml"))
    assert here == Config(**{**vars(there), "file": here.file})


def test_the_defaults_hold_without_a_file() -> None:
    config = load("")
    assert config.root == os.getcwd()
    assert config.layer == Layer()
    assert config.min_confidence is Confidence.LIKELY
    assert config.exclude == DEFAULT_EXCLUDE
    assert config.respect_gitignore


def test_the_table_of_confirm_is_read(tmp_path: Path) -> None:
    (tmp_path / "numlint.toml").write_text(
        '[confirm]\npython = ".venv/bin/python"\nseconds = 4\njobs = 2\nseed = 7\n'
        'perturbation-packs = ["mine"]\ninputs = "inputs.toml"\n'
    )
    assert load(str(tmp_path / "numlint.toml")).confirm == ConfirmSettings(
        python=str(tmp_path / ".venv/bin/python"),
        seconds=4.0,
        jobs=2,
        seed=7,
        perturbation_packs=("mine",),
        inputs=str(tmp_path / "inputs.toml"),
    )


def test_a_program_without_a_folder_is_looked_for_on_the_path(tmp_path: Path) -> None:
    (tmp_path / "numlint.toml").write_text('[confirm]\npython = "python3.11"\n')
    assert load(str(tmp_path / "numlint.toml")).confirm.python == "python3.11"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("second = 4", "unknown key 'second'; did you mean 'seconds'?"),
        ("seconds = 0", "'seconds' must be a positive number"),
        ("jobs = -1", "'jobs' must be a whole number that is not negative"),
        ("seed = true", "'seed' must be a whole number that is not negative"),
        ("python = 3.11", "'python' must be a string"),
        ('perturbation-packs = "mine"', "'perturbation-packs' must be a list of strings"),
    ],
)
def test_a_mistake_in_the_table_of_confirm_is_located(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "numlint.toml"
    file.write_text(f"src = []\n\n[confirm]\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        load(str(file))
    assert str(caught.value).startswith(f"{file}:4: {message}")


class TestFinding:
    def test_the_nearest_file_above_the_common_folder_wins(self, tmp_path: Path) -> None:
        outer = write(tmp_path, PYPROJECT)
        inner = write(tmp_path / "pkg", "", "numlint.toml")
        (tmp_path / "pkg" / "sub").mkdir()
        (tmp_path / "other").mkdir()
        assert find([str(tmp_path / "pkg" / "sub" / "a.py")]) == inner
        assert find([str(tmp_path / "pkg" / "sub"), str(tmp_path / "pkg")]) == inner
        assert find([str(tmp_path / "pkg" / "sub"), str(tmp_path / "other")]) == outer

    def test_a_pyproject_without_a_section_is_passed_over(self, tmp_path: Path) -> None:
        outer = write(tmp_path, PYPROJECT)
        write(tmp_path / "pkg", '[project]\nname = "numlint-user"\n')
        assert find([str(tmp_path / "pkg")]) == outer

    def test_numlint_toml_comes_before_pyproject_toml(self, tmp_path: Path) -> None:
        write(tmp_path, PYPROJECT)
        own = write(tmp_path, "", "numlint.toml")
        assert find([str(tmp_path)]) == own

    def test_nothing_is_found_where_nothing_is(self, tmp_path: Path) -> None:
        write(tmp_path, '[project]\nname = "x"\n')
        assert not find([str(tmp_path)]).startswith(str(tmp_path))

    def test_a_broken_pyproject_of_others_does_no_harm(self, tmp_path: Path) -> None:
        write(tmp_path, "[tool.other\n")
        assert not find([str(tmp_path)]).startswith(str(tmp_path))

    def test_the_file_is_shown_relative_to_the_current_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path, PYPROJECT)
        monkeypatch.chdir(tmp_path)
        assert find(["."]) == "pyproject.toml"


class TestRefusing:
    def test_an_unknown_key_is_located_and_corrected(self, tmp_path: Path) -> None:
        message = refusal(tmp_path, '[tool.numlint]\nselect = []\nignroe = ["NL1"]\n')
        assert message == "pyproject.toml:3: unknown key 'ignroe'; did you mean 'ignore'?"

    def test_an_underscore_is_corrected(self, tmp_path: Path) -> None:
        assert "did you mean 'min-confidence'?" in refusal(tmp_path, 'min_confidence = "likely"\n', "numlint.toml")

    def test_a_key_that_resembles_nothing_lists_the_keys(self, tmp_path: Path) -> None:
        message = refusal(tmp_path, "zzz = 1\n", "numlint.toml")
        assert message.startswith("numlint.toml:1: unknown key 'zzz'; the keys are select, ")

    def test_an_unknown_key_of_a_path_is_located(self, tmp_path: Path) -> None:
        content = "[tool.numlint]\n[tool.numlint.per-path.\"a/**\"]\n\n[tool.numlint.per-path.'b/**']\nexclude = []\n"
        assert refusal(tmp_path, content).startswith("pyproject.toml:5: unknown key 'exclude'; the keys are select")

    def test_an_unknown_table_is_located(self, tmp_path: Path) -> None:
        content = '[tool.numlint]\nselect = []\n\n[tool.numlint.per-file."a"]\nignore = []\n'
        assert refusal(tmp_path, content) == "pyproject.toml:4: unknown key 'per-file'; did you mean 'per-path'?"

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ('select = "NL1"', "'select' must be a list of strings; write select = [\"NL1\"]"),
            ("select = [1]", "'select' must be a list of strings"),
            ("exclude = [' ']", "'exclude' holds ' ', an empty pattern"),
            ("respect-gitignore = 'yes'", "'respect-gitignore' must be true or false"),
            (
                "min-confidence = 'high'",
                '\'min-confidence\' must be one of "possible", "likely", "certain", not \'high\'',
            ),
            ("per-path = ['a']", "'per-path' must hold a table for each pattern"),
            ("per-path.a = 1", "'per-path' must hold a table for each pattern"),
        ],
    )
    def test_a_value_of_the_wrong_type_is_located(self, tmp_path: Path, line: str, message: str) -> None:
        assert refusal(tmp_path, f"# settings\n{line}\n", "numlint.toml").startswith(f"numlint.toml:2: {message}")

    def test_a_mistake_in_toml_is_located(self, tmp_path: Path) -> None:
        message = refusal(tmp_path, "[tool.numlint]\nselect = [\nignore = 3\n")
        assert message.startswith("pyproject.toml:3: not TOML: ")

    def test_a_file_that_ends_too_early_is_located_at_its_end(self, tmp_path: Path) -> None:
        assert refusal(tmp_path, "[tool.numlint]\nselect = [").startswith("pyproject.toml:2: not TOML: ")

    def test_a_file_in_another_encoding_is_located(self, tmp_path: Path) -> None:
        path = tmp_path / "numlint.toml"
        path.write_bytes("# ok\n# é\n".encode("latin-1"))
        with pytest.raises(ConfigError, match=r"numlint\.toml:2: not UTF-8"):
            load(str(path))

    def test_a_missing_file_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="cannot be read: No such file"):
            load(str(tmp_path / "absent.toml"))

    def test_a_named_pyproject_must_have_the_section(self, tmp_path: Path) -> None:
        assert refusal(tmp_path, "[project]\n") == "pyproject.toml: has no [tool.numlint] section"

    def test_the_section_of_pyproject_does_not_belong_in_numlint_toml(self, tmp_path: Path) -> None:
        message = refusal(tmp_path, "# settings\n[tool.numlint]\n", "numlint.toml")
        assert message.startswith("numlint.toml:2: [tool.numlint] belongs in pyproject.toml")

    def test_a_section_must_be_a_table(self, tmp_path: Path) -> None:
        assert "tool.numlint must be a table" in refusal(tmp_path, "[tool]\nnumlint = 1\n")

    def test_an_unknown_rule_is_located_and_corrected(self, tmp_path: Path) -> None:
        def check(function: object) -> tuple[()]:
            return ()

        rules = [Rule("naive-softmax", "NL101", "", "", frozenset(), "nan", Severity.WARNING, check)]
        content = '[tool.numlint]\nselect = [\n  "NL1",\n  "naive-sofmax",\n]\n'
        with pytest.raises(ConfigError) as caught:
            load(write(tmp_path, content)).check_rules(rules)
        assert (caught.value.line, str(caught.value).partition(": ")[2]) == (
            4,
            "no rule has the name or code 'naive-sofmax'; did you mean 'naive-softmax'?",
        )
        content = '[tool.numlint]\nselect = ["NL1"]\n[tool.numlint.per-path."tests/**"]\nignore = ["NL2"]\n'
        with pytest.raises(ConfigError) as caught:
            load(write(tmp_path, content)).check_rules(rules)
        assert caught.value.line == 4


def test_paths_are_relative_to_the_folder_of_the_file(tmp_path: Path) -> None:
    config = load(write(tmp_path, PYPROJECT))
    assert config.relative(str(tmp_path / "tests" / "a.py")) == "tests/a.py"
