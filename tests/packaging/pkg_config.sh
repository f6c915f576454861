# pkg_config.sh SOURCE DIR: the package installed in $PREFIX, by pkg-config.
export PKG_CONFIG_PATH="$PREFIX/share/pkgconfig"
mkdir -p "$2"
pkg-config --exists --print-errors tapegrad tapegrad-io
# eval: pkg-config quotes the space in the prefix for a shell.
eval "'${CXX:-c++}' -std=c++20 '$1/tests/packaging/main.cpp' -o '$2/consumer' $(pkg-config --cflags --libs tapegrad)"
"$2/consumer"
