from tuiapp.graphics.pacing import TIMEOUT_S, Pacer


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_two_frames_may_be_on_their_way_and_no_third() -> None:
    pacer: Pacer[str] = Pacer(Clock())
    pacer.issue("view", 80, 24)
    assert pacer.may_send()
    pacer.issue("view", 80, 24)
    assert not pacer.may_send()


def test_an_answer_frees_its_frame_and_tells_how_long_it_took() -> None:
    clock = Clock()
    pacer: Pacer[str] = Pacer(clock)
    fence = pacer.issue("view", 80, 24)
    clock.now_s = 0.05
    (done,) = pacer.answer(fence.row, fence.column)
    assert (done.owner, round(done.milliseconds), done.lost) == ("view", 50, False)
    assert pacer.in_flight == 0


def test_a_later_answer_also_acknowledges_the_frame_before_it() -> None:
    pacer: Pacer[str] = Pacer(Clock())
    pacer.issue("a", 80, 24)
    second = pacer.issue("b", 80, 24)
    assert [done.owner for done in pacer.answer(second.row, second.column)] == ["a", "b"]


def test_an_answer_that_came_after_its_timeout_is_not_taken_for_another_frame_s() -> None:
    clock = Clock()
    pacer: Pacer[str] = Pacer(clock)
    late = pacer.issue("view", 80, 24)
    clock.now_s = TIMEOUT_S
    (lost,) = pacer.expire()
    assert lost.lost
    pacer.issue("view", 80, 24)
    assert pacer.answer(late.row, late.column) == []
    assert pacer.in_flight == 1


def test_f3_with_a_modifier_acknowledges_nothing() -> None:
    pacer: Pacer[str] = Pacer(Clock())
    for columns, rows in ((80, 24), (3, 3), (1, 2)):
        pacer.issue("view", columns, rows)
        # Shift+F3 arrives as ESC [ 1 ; 2 R, other modifiers with other columns.
        assert all(pacer.answer(1, modifier) == [] for modifier in range(2, 9))


def test_the_asked_cells_lie_within_the_screen_and_differ_for_long() -> None:
    clock = Clock()
    pacer: Pacer[str] = Pacer(clock)
    places = set()
    for _ in range(200):
        fence = pacer.issue("view", 20, 12)
        assert 2 <= fence.row <= 12
        assert 1 <= fence.column <= 20
        places.add((fence.row, fence.column))
        clock.now_s += TIMEOUT_S
        pacer.expire()
    assert len(places) == 200
