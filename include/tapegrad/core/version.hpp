#pragma once

// The only place where the version stands: CMake, the installed package and build_info() read it here.
#define TAPEGRAD_VERSION_MAJOR 0
#define TAPEGRAD_VERSION_MINOR 1
#define TAPEGRAD_VERSION_PATCH 0

#define TAPEGRAD_VERSION_TEXT_(major, minor, patch) #major "." #minor "." #patch
#define TAPEGRAD_VERSION_TEXT(major, minor, patch) TAPEGRAD_VERSION_TEXT_(major, minor, patch)
/// The version as text, "0.1.0".
#define TAPEGRAD_VERSION TAPEGRAD_VERSION_TEXT(TAPEGRAD_VERSION_MAJOR, TAPEGRAD_VERSION_MINOR, TAPEGRAD_VERSION_PATCH)
