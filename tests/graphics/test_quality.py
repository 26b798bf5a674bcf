from tuiapp.graphics.quality import LADDER, QualityLadder, target_ms


def after(ladder: QualityLadder, *acks_ms: float) -> int:
    for ack_ms in acks_ms:
        ladder.record(ack_ms)
    return ladder.level


def test_one_slow_frame_changes_nothing_two_step_down() -> None:
    assert after(QualityLadder(80), 200) == 0
    assert after(QualityLadder(80), 200, 200) == 1


def test_a_terminal_that_stays_slow_ends_on_the_last_level() -> None:
    assert after(QualityLadder(80), *[500] * 50) == len(LADDER) - 1


def test_many_fast_frames_step_up_again() -> None:
    ladder = QualityLadder(80)
    after(ladder, 200, 200)
    assert after(ladder, *[20] * 40) == 0


def test_frames_just_within_the_target_keep_the_level() -> None:
    ladder = QualityLadder(80)
    after(ladder, 200, 200)
    assert after(ladder, *[70] * 100) == 1


def test_a_level_that_failed_is_tried_less_and_less_often() -> None:
    ladder = QualityLadder(80)
    waits = []
    for _ in range(3):
        after(ladder, 200, 200)
        waited = 0
        while ladder.level:
            ladder.record(20)
            waited += 1
        waits.append(waited)
    assert waits == sorted(set(waits))


def test_more_time_is_allowed_over_ssh() -> None:
    assert target_ms({"SSH_CONNECTION": "a b"}) > target_ms({})
