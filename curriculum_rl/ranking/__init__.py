"""How far each task's text is from the target's, by every measure there is: ranked and drawn."""
