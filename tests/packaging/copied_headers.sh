# copied_headers.sh SOURCE DIR: include/ copied into a project of one file. One -I, Eigen's, and C++20. Then the same with
# the kernels compiled apart.
mkdir -p "$2/vendor"
cp -r "$1/include/tapegrad" "$2/vendor"
build() {
  "${CXX:-c++}" -std=c++20 -I "$2/vendor" $(pkg-config --cflags eigen3) "$1/tests/packaging/main.cpp" "${@:3}" -o "$2/consumer"
  "$2/consumer"
}
build "$1" "$2"
build "$1" "$2" -DTAPEGRAD_COMPILED "$2/vendor/tapegrad/compiled/tapegrad.cpp"
