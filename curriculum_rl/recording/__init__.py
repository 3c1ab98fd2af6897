"""What a run leaves behind: rows, TensorBoard events, pictures, schedules, checkpoints, run directories."""
