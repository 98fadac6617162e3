#!/bin/sh
# Makes .venv and installs the locked requirements: ./install.sh demo | test
# Checks what the machine must have first, and names the one command that cures what is missing.
set -eu
cd "$(dirname "$0")"
what=$1
case $what in
  demo) lock=requirements.txt ;;
  test) lock=requirements-test.txt ;;
  *) echo "usage: ./install.sh demo|test" >&2; exit 2 ;;
esac

fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
python=
for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
  if command -v "$candidate" >/dev/null 2>&1 && "$candidate" -c "$fits" >/dev/null 2>&1; then python=$candidate; break; fi
done

missing=
[ -n "$python" ] || missing="$missing python3"
[ -n "$python" ] && { "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 || missing="$missing python3-venv"; }
[ -n "$python" ] && { "$python" -c 'import ctypes; ctypes.CDLL("libgomp.so.1")' >/dev/null 2>&1 || missing="$missing libgomp1"; }
command -v git >/dev/null 2>&1 || missing="$missing git"
if [ -n "$missing" ]; then
  echo "kairos: missing:$missing (Kairos needs git, make, Python 3.11, 3.12 or 3.13 with venv, and libgomp1)" >&2
  echo "kairos: on Debian or Ubuntu this cures it:  sudo apt-get install -y$missing" >&2
  exit 2
fi

key=$(cat "$lock" pyproject.toml | cksum | tr ' ' '-')
# the test requirements hold all that the demo needs
for done in ".venv/.installed-$what-$key" ".venv/.installed-test-$(cat requirements-test.txt pyproject.toml | cksum | tr ' ' '-')"; do
  [ -e "$done" ] && .venv/bin/python -c "$fits" >/dev/null 2>&1 && exit 0
done

echo "kairos: installing $lock into .venv" >&2
failed() {
  echo "kairos: the installation did not finish. Check the network (or your package mirror) and run the same command again:" >&2
  echo "kairos: what was downloaded is kept." >&2
  exit 2
}
.venv/bin/python -c "$fits" >/dev/null 2>&1 || rm -rf .venv
if command -v uv >/dev/null 2>&1; then
  [ -d .venv ] || uv venv --quiet --python "$python" .venv || failed
  uv pip install --quiet --python .venv --require-hashes -r "$lock" || failed
  uv pip install --quiet --python .venv --no-deps --no-build-isolation -e . || failed
else
  [ -d .venv ] || "$python" -m venv .venv || failed
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r "$lock" || failed
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . || failed
fi
: > ".venv/.installed-$what-$key"
