"""Real calls, kept as plain data and run again; inputs that a user declares."""

from __future__ import annotations

import json
from collections import OrderedDict, namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlint.runtime import loading, recording
from numlint.runtime.arithmetic import Arithmetic
from numlint.runtime.declaration import DeclarationError, fits
from numlint.runtime.formats import FLOAT32
from numlint.runtime.harness import Harness
from numlint.runtime.recorder import calls
from numlint.runtime.recorder.values import Decoder, Encoder, Opaque, TooLarge
from numlint.runtime.target import Region, Role, Target

Point = namedtuple("Point", "x y")


class Model:
    def __init__(self) -> None:
        self.weights = np.arange(3.0)
        self.name = "model"


class Slotted:
    __slots__ = ("scale",)

    def __init__(self, scale: float) -> None:
        self.scale = scale


def encoded(value: Any) -> tuple[Any, Encoder]:
    encoder = Encoder(1 << 20)
    return json.loads(json.dumps(encoder.encode(value))), encoder


def again(value: Any) -> Any:
    tree, encoder = encoded(value)
    return Decoder(encoder.arrays).decode(tree)


class TestValues:
    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False)
            | st.text()
            | st.complex_numbers(allow_nan=False),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.tuples(inner, inner)
                | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
            ),
            max_leaves=8,
        )
    )
    def test_numbers_and_containers_come_back_as_they_were(self, value: Any) -> None:
        assert again(value) == value
        assert type(again(value)) is type(value)

    @pytest.mark.parametrize(
        "array",
        [
            np.array([[1, np.nan], [np.inf, -0.0]], dtype=np.float32),
            np.array(["a", "bc"]),
            np.array(3, dtype=np.int8),
            np.zeros((0, 4)),
            np.array([[1, None], ["x", 2.5]], dtype=object),
        ],
    )
    def test_arrays_keep_type_and_shape(self, array: Any) -> None:
        back = again(array)
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(back, array)

    @pytest.mark.parametrize(
        "value",
        [np.float32(0.1), {1, 2}, Point(1, 2.0), slice(1, None), OrderedDict(a=1), np.exp, np.linalg.inv, float, np],
    )
    def test_other_values_come_back(self, value: Any) -> None:
        assert again(value) == value

    def test_a_generator_goes_on_where_it_was(self) -> None:
        generator = np.random.default_rng(3)
        generator.random()
        assert again(generator).random() == generator.random()

    def test_an_object_is_rebuilt_of_its_attributes(self) -> None:
        model = again(Model())
        assert isinstance(model, Model)
        assert model.weights.tolist() == [0.0, 1.0, 2.0]
        assert again(Slotted(2.0)).scale == 2.0

    def test_what_cannot_be_kept_is_named_by_its_type(self) -> None:
        tree, encoder = encoded([lambda: 0, (item for item in [1]), open(__file__)])  # noqa: SIM115
        assert encoder.opaque == ["builtins:function", "builtins:generator", "_io:TextIOWrapper"]
        assert Decoder({}).decode(tree) == list(map(Opaque, encoder.opaque))

    def test_what_holds_itself_ends(self) -> None:
        endless: list[Any] = []
        endless.append(endless)
        assert again(endless) == [Opaque("builtins:list")]

    def test_a_class_that_is_gone_leaves_a_hole(self) -> None:
        assert Decoder({}).decode({"object": "nowhere:Model", "state": {}}) == Opaque("nowhere:Model")

    def test_large_values_are_refused(self) -> None:
        with pytest.raises(TooLarge):
            Encoder(1000).encode(np.zeros(1000))


class TestCalls:
    def test_calls_that_differ_in_digits_are_of_one_kind(self) -> None:
        def kind(*values: Any) -> str:
            encoder = Encoder(1 << 20)
            tree = {f"x{number}": encoder.encode(value) for number, value in enumerate(values)}
            return str(calls.kind_of(tree, encoder.arrays))

        assert kind(np.array([1.0, 2.0]), 3) == kind(np.array([1.5, 2.5]), 4)
        kinds = {kind(np.array(item)) for item in ([1.0, 2.0], [1.0], [-1.0, 2.0], [1.0, 20.0], [1.0, np.nan])}
        assert len(kinds) == 5

    def test_the_project_may_lie_elsewhere_now(self, tmp_path: Path) -> None:
        (tmp_path / "src/pkg/model.py/Model.fit").mkdir(parents=True)
        found = calls.folder_of(tmp_path, "/home/me/project/src/pkg/model.py", "Model.fit.<locals>.inner")
        assert found == tmp_path / "src/pkg/model.py/Model.fit"
        assert calls.folder_of(tmp_path, "/home/me/project/src/pkg/other.py", "Model.fit") is None

    def test_what_is_no_recording_is_passed_over(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text("{}")
        (tmp_path / "b.json").write_text("no JSON")
        assert list(calls.read(tmp_path)) == []


SOURCE = """\
import numpy as np


class Softmax:
    def __init__(self, scale=1.0):
        self.scale = scale
        self.calls = 0

    def predict(self, z, rng=None, callback=None, **more):
        e = np.exp(z * self.scale)
        self.calls += 1
        z[0] = 0.0
        return e / e.sum() + (0.0 if rng is None else rng.random())


def mean(p, *rest):
    return np.log(p).mean()
"""


@pytest.fixture
def module(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    file = tmp_path / f"subject_{abs(hash(request.node.name))}.py"
    file.write_text(SOURCE)
    return file


def target_of(file: Path, qualname: str, text: str, **more: Any) -> Target:
    before, _, _ = SOURCE.partition(text)
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    region = Region(line, column, line, column + len(text))
    return Target(str(file), file.stem, str(file.parent), qualname, region, "some-rule", **more)


def recorded(
    file: Path, qualname: str, text: str, roles: dict[str, Role] | None = None, **arguments: Any
) -> list[Harness]:
    """Harnesses of one call, recorded and read again."""
    target = target_of(file, qualname, text, recordings=(str(file.parent / "kept"),), roles=roles or {})
    loaded = loading.load(target)
    encoder = Encoder(1 << 20)
    if "self" in arguments:
        arguments["self"] = loaded.module.Softmax(*arguments["self"])
    tree = {name: encoder.encode(value) for name, value in arguments.items()}
    content = {"qualname": qualname, "module": file.stem, "arguments": tree, "opaque": encoder.opaque, "size": 1}
    calls.write(file.parent / "kept" / file.name / qualname, "0", content, encoder.arrays)
    return list(recording.harnesses(loaded, target))


class TestHarnesses:
    def test_a_recorded_method_runs_again_and_again(self, module: Path) -> None:
        z = np.array([1.0, 2.0])
        [harness] = recorded(
            module, "Softmax.predict", "np.exp(z * self.scale)", self=(), z=z, rng=None, callback=None, more={}
        )
        assert harness.rung == "recorded"
        assert set(harness.inputs) == {"z", "self.scale", "self.calls"}
        for _ in range(2):
            outcome = harness.run()
            assert outcome.reached
            assert outcome.raised is None
            np.testing.assert_allclose(outcome.sites[0], np.exp([1.0, 2.0]))
            assert outcome.outputs["self.calls"] == 1
            assert outcome.outputs["argument z"][0] == 0.0

    def test_attributes_of_the_object_are_inputs(self, module: Path) -> None:
        z = np.array([1.0, 2.0])
        [harness] = recorded(
            module, "Softmax.predict", "np.exp(z * self.scale)", self=(), z=z, rng=None, callback=None, more={}
        )
        outcome = harness.run({**harness.inputs, "self.scale": 1e3})
        assert np.isinf(outcome.sites[0]).all()

    def test_formats_reach_arguments(self, module: Path) -> None:
        [harness] = recorded(module, "mean", "np.log(p)", p=np.array([0.5, 0.25]), rest=())
        assert harness.run(arithmetic=Arithmetic(FLOAT32)).sites[0].dtype == np.float32

    def test_a_generator_is_in_the_same_state_in_every_run(self, module: Path) -> None:
        rng = np.random.default_rng(0)
        [harness] = recorded(
            module, "Softmax.predict", "np.exp(z * self.scale)", self=(), z=np.ones(2), rng=rng, callback=None, more={}
        )
        np.testing.assert_array_equal(harness.run().outputs["return"], harness.run().outputs["return"])

    def test_what_was_not_kept_is_left_to_its_default(self, module: Path) -> None:
        [harness] = recorded(
            module,
            "Softmax.predict",
            "np.exp(z * self.scale)",
            self=(),
            z=np.ones(2),
            rng=None,
            callback=print_all,
            more={"a": print_all},
        )
        assert harness.run().raised is None

    def test_a_call_that_lacks_an_argument_is_no_harness(self, module: Path) -> None:
        assert recorded(module, "mean", "np.log(p)", p=(item for item in [1]), rest=()) == []
        assert recorded(module, "mean", "np.log(p)", q=np.ones(2)) == []

    def test_a_real_argument_outside_of_its_role_corrects_the_role(self, module: Path) -> None:
        role = Role("probability", 0.0, 1.0, why="named p")
        [harness] = recorded(module, "mean", "np.log(p)", {"p": role}, p=np.array([0.5]), rest=())
        assert harness.roles["p"] == role
        [harness] = recorded(module, "mean", "np.log(p)", {"p": role}, p=np.array([5.0]), rest=())
        assert harness.roles["p"].kind == "any"

    def test_a_rewrite_runs_on_the_same_call(self, module: Path) -> None:
        [harness] = recorded(module, "mean", "np.log(p)", p=np.array([0.5, 0.25]), rest=())
        assert harness.rewritten is not None
        other = SOURCE.replace("np.log(p)", "np.abs(p)")
        with harness.rewritten(other, target_of(module, "mean", "np.log(p)").region) as changed:
            assert changed is not None
            assert changed.run().outputs["return"] == 0.375
        assert harness.run().outputs["return"] < 0

    def test_nothing_recorded_gives_nothing(self, module: Path, tmp_path: Path) -> None:
        target = target_of(module, "mean", "np.log(p)", recordings=(str(tmp_path / "nowhere"),))
        assert list(recording.harnesses(loading.load(target), target)) == []


def print_all(*arguments: Any, _inner: Any = lambda: 0) -> None:
    print(arguments, _inner)


print_all.__qualname__ = "another"  # so that it cannot be imported again


def declared(file: Path, qualname: str, text: str, *entries: dict[str, Any]) -> list[Harness]:
    inputs = file.parent / "inputs.json"
    inputs.write_text(json.dumps({"inputs": entries}))
    target = target_of(file, qualname, text, declared=str(inputs))
    return list(recording.declared(loading.load(target), target))


class TestDeclared:
    def test_expressions_numbers_and_roles(self, module: Path) -> None:
        entry = {"function": f"{module.stem}:mean", "p": {"value": "np.full(4, 0.25)", "role": "probability"}}
        [harness] = declared(module, "mean", "np.log(p)", entry)
        assert harness.rung == "declared"
        assert (harness.roles["p"].low, harness.roles["p"].high) == (0.0, 1.0)
        np.testing.assert_allclose(harness.run().sites[0], np.log(0.25))

    def test_the_object_is_made_of_other_inputs(self, module: Path) -> None:
        entry = {"function": "Softmax.predict", "scale": 2.0, "self": "Softmax(scale)", "z": "np.ones(3)"}
        [harness] = declared(module, "Softmax.predict", "np.exp(z * self.scale)", entry)
        assert set(harness.inputs) == {"scale", "z"}
        np.testing.assert_allclose(harness.run().sites[0], np.exp(2.0))
        assert np.isinf(harness.run({**harness.inputs, "scale": 1e3}).sites[0]).all()

    def test_an_object_that_is_not_declared_is_made_without_arguments(self, module: Path) -> None:
        [harness] = declared(
            module, "Softmax.predict", "np.exp(z * self.scale)", {"function": "Softmax.predict", "z": "np.ones(3)"}
        )
        np.testing.assert_allclose(harness.run().sites[0], np.e)

    def test_files(self, module: Path) -> None:
        np.savez(module.parent / "table.npz", train=np.array([0.5]))
        entry = {"function": "mean", "p": {"file": "table.npz", "key": "train"}}
        [harness] = declared(module, "mean", "np.log(p)", entry)
        assert harness.inputs["p"].tolist() == [0.5]

    def test_an_expression_that_fails_says_which(self, module: Path) -> None:
        with pytest.raises(DeclarationError, match=r"p = np\.full\(\): TypeError"):
            declared(module, "mean", "np.log(p)", {"function": "mean", "p": "np.full()"})

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("mean", True),
            ("pkg.subject:mean", True),
            ("subject:mean", True),
            ("src/pkg/subject.py::mean", True),
            ("other:mean", False),
            ("subject:median", False),
        ],
    )
    def test_how_a_function_is_named(self, name: str, expected: bool) -> None:
        target = Target("/p/src/pkg/subject.py", "pkg.subject", "/p/src", "mean", Region(1, 1, 1, 2), "rule")
        assert fits(name, target) is expected
