"""Bonuses: set up, then paid. Paying again pays again, as Prolific does."""

from listening.standin.money import to_minor
from listening.standin.records import Batch, Refused, Submission
from listening.standin.world import World

MOST_LINES = 200


def set_up(world: World, study_id: str, csv: str) -> Batch:
    """A batch from lines of `participant or submission id,amount in major units`. Raises Refused naming the wrong ids."""
    study = world.study(study_id)
    lines = [line for line in csv.splitlines() if line.strip()]
    if not 0 < len(lines) <= MOST_LINES:
        raise Refused({"csv_bonuses": [f"Give 1 to {MOST_LINES} lines."]})
    own = {each.participant_id: each for each in world.of_study(study_id)}
    own.update({each.id: each for each in world.of_study(study_id)})
    wrong, parsed = [], []
    for line in lines:
        name, _, amount = (text.strip() for text in line.partition(","))
        if name not in own:
            wrong.append(name)
            continue
        try:
            parsed.append((own[name].id, to_minor(amount)))
        except ValueError as error:
            raise Refused({"csv_bonuses": [str(error)]}) from error
    if wrong:
        raise Refused({"csv_bonuses": [f"These ids do not belong to the study: {', '.join(wrong)}"]})
    parts = [world.rates.on(amount) for _, amount in parsed]
    batch = Batch(world.new_id(), study.id, parsed, sum(fee for fee, _ in parts), sum(vat for _, vat in parts))
    world.batches[batch.id] = batch
    return batch


def pay(world: World, batch_id: str) -> None:
    """Take the money at once and credit the people later."""
    batch = world.batches.get(batch_id)
    if batch is None:
        raise Refused("Bonus payment not found.", status=404, title="Not found")
    if batch.total > world.available():
        raise Refused("Your balance is too low for this; top it up first.")
    world.balance -= batch.total
    batch.payments += 1

    def due() -> None:
        with world.lock:
            for submission_id, amount in batch.lines:
                world.submissions[submission_id].bonuses_minor.append(amount)

    world.clock.after(world.pay_delay_s, due)


def received(world: World, participant_id: str) -> int:
    """All the bonus one person was credited, in minor units."""
    own: list[Submission] = [each for each in world.submissions.values() if each.participant_id == participant_id]
    return sum(sum(each.bonuses_minor) for each in own)
