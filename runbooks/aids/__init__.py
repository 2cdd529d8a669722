"""What several actions share: how machines, targets, rollouts and addresses are read."""
