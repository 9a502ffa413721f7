"""What operators ask of a running daemon, and what comes of it.

An order (`orders`) names servers (`selecting`). `operator` judges it (`acting`) and hands it on: to `holds` what is set
for servers, which `drains` and `terms` watch over until it ends, and to `freezing` what is set for the whole table.
`keeper` brings it through a restart. `preview` and `rehearsal` answer what another configuration would do.
"""
