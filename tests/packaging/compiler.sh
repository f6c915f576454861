# compiler.sh SOURCE DIR COMPILER: another compiler, with the warnings of a careful user, in C++20, C++23 and, where it
# knows that, C++26. With threads where its OpenMP is there: of clang's, Debian installs that of one version at a time.
if ! command -v "$3" >/dev/null; then
  echo "no $3 here"
  exit 77
fi
mkdir -p "$2"
cd "$2"
threads=-fopenmp
"$3" -fopenmp -x c++ - -o openmp <<<$'#include <omp.h>\nint main() { return omp_get_thread_num(); }' || threads=
standards='c++20 c++2b c++2c'
"$3" -std=c++2c -x c++ -fsyntax-only - <<<'' || standards='c++20 c++2b'
for standard in $standards; do
  for program in main main_io; do
    "$3" -std=$standard -O1 $threads -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -I "$1/include" \
      $(pkg-config --cflags eigen3 | sed 's/-I/-isystem /g') "$1/tests/packaging/$program.cpp" -o consumer -lz -lpng
    ./consumer
  done
done
