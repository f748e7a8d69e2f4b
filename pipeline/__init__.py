"""Who arranges a run: config, plan, graph, ledger, report, command line."""
