"""The server: takes events in, answers with decisions, hears outcomes. Holds no rule of its own: those are the core's."""
