"""Reads TensorBoard event files with TensorBoard itself, for a test of in9-models' writer.

usage: python tests/oracles/read_events.py DIR
Prints each scalar as "tag step value", sorted; exits with 77 when TensorBoard is not installed.
"""
import sys

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    sys.exit(77)

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
events.Reload()
for tag in sorted(events.Tags()["scalars"]):
    for event in events.Scalars(tag):
        print(tag, event.step, event.value)
