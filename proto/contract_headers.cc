// Only there so that its headers are compiled once, for all who include them (see CMakeLists.txt).
