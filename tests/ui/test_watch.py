import numpy as np
import pytest
from opening import open_page, texts

from fmnist.models import MODELS
from fmnist.models.recipe import Recipe
from fmnist.runs import queue, worker
from fmnist.runs.run import Plan
from fmnist.ui.parts import watch


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("cnn", (16, 3, 3)),
        ("softmax", (10, 28, 28)),
        ("fcnn-128", (watch.MOST_FILTERS, 28, 28)),
        ("residual-100k", (32, 3, 3)),
        ("gru", None),
    ],
)
def test_the_first_filters_are_those_of_the_layer_that_sees_pixels(name: str, shape) -> None:
    found = watch.first_filters(MODELS[name].seeded(0))
    assert (None if found is None else found.shape) == shape


def test_in_words_names_the_last_change_of_mind_by_its_epochs() -> None:
    said = np.eye(10, dtype=np.float32)[[2, 3, 2, 3]]
    words = watch.in_words(said, [1, 4, 8, 12])
    assert words == "After epoch 8 it still says Pullover, and Dress from epoch 12 on."
    assert watch.in_words(said[:1], [1]) == "It says Pullover from epoch 1 on."


def test_a_finished_run_is_watched_epoch_by_epoch_on_the_train_page(
    small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
    plan = Plan("softmax", Recipe(epochs=3, batch_size=64), "drawn", "cpu", limit=200)
    run = queue.start(plan)
    (run.folder / "queued").unlink()
    worker.execute(run)
    app = open_page("train", run=run.id, watch="true")
    assert not app.exception
    slider = app.select_slider(key=f"watched {run.id}")
    assert [str(option) for option in slider.options] == ["1", "2", "3"]
    assert "What its first layer looks for" in texts(app)
    told = [each for each in texts(app).splitlines() if "from epoch" in each]
    assert len(told) == 1
    slider.set_value(1).run()
    assert not app.exception
