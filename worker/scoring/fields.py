"""The inputs that many scorers read, under the names that everybody knows them by."""

from __future__ import annotations

from arcane.messaging.scoring import ScorerInput

RESPONSE = ScorerInput(name="response", kind="text", description="What is judged: the answer that was given.")
REFERENCE = ScorerInput(name="reference", kind="text", description="What the answer should have been.")
QUESTION = ScorerInput(name="user_input", kind="text", description="What was asked.")
CONVERSATION = ScorerInput(name="user_input", kind="messages", description="The conversation, tool calls included.")
RETRIEVED = ScorerInput(name="retrieved_contexts", kind="texts", description="What was found, the best first.")
REFERENCE_CONTEXTS = ScorerInput(
    name="reference_contexts", kind="texts", description="What should have been found, in any order."
)
REFERENCE_TOPICS = ScorerInput(name="reference_topics", kind="texts", description="The topics that are allowed.")
RETRIEVED_IDS = ScorerInput(name="retrieved_context_ids", kind="texts", description="The ids of what was found.")
REFERENCE_IDS = ScorerInput(
    name="reference_context_ids", kind="texts", description="The ids of what should have been found."
)
EXPECTED_CALLS = ScorerInput(
    name="reference_tool_calls", kind="json", description="The calls that should have been made: name and arguments."
)
