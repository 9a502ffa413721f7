"""What Prometheus reads: the page at /metrics, made anew from a snapshot whenever it is asked for.

Labels are names of services, servers, checks, channels and codes, all of which come from the configuration or have a
bound (`healthd.tally`): no peer can make up a series.
"""
