"""A generator of small English stories: vocabulary, grammar, plans, rendering."""
