#!/bin/sh
# A verb of Kairos as an entry point of MLproject: from the root of the checkout, in its own environment where it has one.
set -eu
cd "$(dirname "$0")/.."
# `mlflow run` hands down its own run, and, where nobody named a server, a file in the folder that it was started from as the
# store: the models of a workspace are kept in the workspace then, as without it
unset MLFLOW_RUN_ID MLFLOW_EXPERIMENT_ID
case ${MLFLOW_TRACKING_URI:-} in
  http://* | https://* | databricks* | postgresql* | mysql* | mssql*) ;;
  *) unset MLFLOW_TRACKING_URI ;;
esac
PATH=$PWD/.venv/bin:$PATH
exec kairos "$@"
