from threading import Event, Thread

import numpy as np
import pytest
from numpy.typing import NDArray

from fmnist.models import together


def sums(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Logits that tell each image from others."""
    return images.reshape(len(images), -1).sum(1, dtype=np.float32)[:, None].repeat(10, 1)


def picture(number: int, count: int = 1) -> NDArray[np.uint8]:
    return np.full((count, 28, 28), number, np.uint8)


def waiting() -> int:
    with together._guard:
        return sum(len(questions) for questions in together._waiting.values())


class Room:
    """Threads that ask while the first one's question is held up."""

    def __init__(self, *models: str) -> None:
        self.asked: list[int] = []
        self.answers: dict[int, NDArray[np.float32]] = {}
        self.failures: dict[int, BaseException] = {}
        began, go_on = Event(), Event()

        def hold(images: NDArray[np.uint8]) -> NDArray[np.float32]:
            began.set()
            go_on.wait()
            return self.question(images)

        def ask(number: int, model: str) -> None:
            images = picture(number, number)
            try:
                question = self.question if number > 1 else hold
                self.answers[number] = together.infer(model, images, question)
            except ArithmeticError as error:
                self.failures[number] = error

        threads = [
            Thread(target=ask, args=(number, model)) for number, model in enumerate(models, 1)
        ]
        threads[0].start()
        began.wait()
        for number, thread in enumerate(threads[1:], 2):
            thread.start()
            while waiting() < number - 1:
                pass
        go_on.set()
        for thread in threads:
            thread.join()

    def question(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.asked.append(len(images))
        if images.max() == 13:
            raise ArithmeticError
        return sums(images)


def test_those_who_wait_meanwhile_are_asked_about_at_once_and_each_hears_its_own() -> None:
    room = Room("cnn", "cnn", "cnn", "cnn")
    assert room.asked == [1, 2 + 3 + 4]
    for number, logits in room.answers.items():
        np.testing.assert_array_equal(logits, sums(picture(number, number)))
    assert len(room.answers) == 4


def test_those_who_ask_another_model_are_not_among_them() -> None:
    room = Room("cnn", "cnn", "gru", "cnn", "gru")
    assert sorted(room.asked) == [1, 2 + 4, 3 + 5]
    assert len(room.answers) == 5


def test_a_question_that_fails_fails_for_whoever_was_asked_about_and_for_nobody_later() -> None:
    with pytest.raises(ArithmeticError):
        together.infer("cnn", picture(13), Room("cnn").question)
    np.testing.assert_array_equal(together.infer("cnn", picture(2), sums), sums(picture(2)))
