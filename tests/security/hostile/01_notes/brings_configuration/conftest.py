print("FOUND: conftest was run")
raise SystemExit(0)
