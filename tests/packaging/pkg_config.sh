# pkg_config.sh SOURCE DIR: the package installed in $PREFIX, by the commands of docs/install.md.
export PKG_CONFIG_PATH="$PREFIX/share/pkgconfig"
mkdir -p "$2"
cd "$2"
build() {  # PROGRAM PACKAGE
  # eval: pkg-config quotes the space in the prefix for a shell.
  eval "'${CXX:-c++}' -std=c++20 -O2 -fopenmp '$1' $(pkg-config --cflags --libs --print-errors "$2") -o consumer"
  ./consumer
}
build "$1/tests/packaging/main.cpp" tapegrad
build "$1/tests/packaging/main_io.cpp" tapegrad-io
