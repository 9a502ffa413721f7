"""At home under systemd: sd_notify(3), and the journal's own protocol. Both are datagrams to a unix socket."""
