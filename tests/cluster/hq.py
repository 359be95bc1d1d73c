"""The part of the program `hq` that in9 uses, by HyperQueue's Python package, which has the server and the workers.

Called as `hq --output-mode=quiet job submit-file FILE`, `hq --output-mode=json job list --all`, or `hq serve`, which runs
a server and a worker of two cores until its standard input is closed. HQ_TEST_SERVER names the server's folder.
"""

import json
import os
import sys
import tomllib

from hyperqueue import Client
from hyperqueue.cluster import LocalCluster, WorkerConfig
from hyperqueue.ffi.protocol import JobDescription, ResourceRequest, TaskDescription

SERVER = os.environ["HQ_TEST_SERVER"]
JOBS = os.path.join(SERVER, "jobs.txt")


def submit(path):
    with open(path, "rb") as file:
        definition = tomllib.load(file)
    tasks = []
    for task in definition["task"]:
        (request,) = task["request"]
        tasks.append(
            TaskDescription(
                id=task["id"],
                args=task["command"],
                cwd=os.getcwd(),
                stdout=None,
                stderr=None,
                stdin=None,
                env={},
                dependencies=task["deps"],
                task_dir=False,
                priority=0,
                resource_request=[ResourceRequest(resources=dict(request["resources"]), cpus=request["resources"]["cpus"])],
                crash_limit=None,
            )
        )
    job = Client(SERVER).connection.submit_job(JobDescription(definition["name"], tasks, None))
    with open(JOBS, "a") as file:
        file.write(f"{job}\n")
    print(job)


class Enough(Exception):
    pass


def jobs():
    connection = Client(SERVER).connection
    ids = [int(line) for line in open(JOBS)] if os.path.exists(JOBS) else []
    found = []

    def heard(states):
        for job, state in states.items():
            waiting = 0 if state["completed"] else state["total"] - state["finished"] - state["failed"]
            found.append({"id": job, "task_stats": {"waiting": waiting, "running": 0}})
        raise Enough

    try:
        if ids:
            connection.wait_for_jobs(ids, heard)
    except Enough:
        pass
    print(json.dumps(found))


match sys.argv[1:]:
    case ["--output-mode=quiet", "job", "submit-file", path]:
        submit(path)
    case ["--output-mode=json", "job", "list", "--all"]:
        jobs()
    case ["serve"]:
        with LocalCluster(server_dir=SERVER, worker_config=WorkerConfig(cores=2)):
            print("ready", flush=True)
            sys.stdin.read()
    case other:
        sys.exit(f"no such command: {other}")
