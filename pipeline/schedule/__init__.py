"""Having the due captures started by the machine's own scheduler: cron, or systemd's user timers."""
