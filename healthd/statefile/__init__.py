"""What healthd remembers on the disk: `rounds` for `healthd check --once`, `running` for the daemon."""
