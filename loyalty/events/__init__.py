"""What members do besides buying: what an event type asks and gives, the decision about one event, and its words."""
