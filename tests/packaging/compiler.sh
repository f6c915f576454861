# compiler.sh SOURCE DIR COMPILER: another compiler, with the warnings of a careful user, in C++20 and C++23.
if ! command -v "$3" >/dev/null; then
  echo "no $3 here"
  exit 77
fi
mkdir -p "$2"
for standard in c++20 c++2b; do
  "$3" -std=$standard -O1 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -I "$1/include" \
    $(pkg-config --cflags eigen3 | sed 's/-I/-isystem /g') "$1/tests/packaging/main.cpp" -o "$2/consumer"
  "$2/consumer"
done
