def remove_run(run_id):
    pass
