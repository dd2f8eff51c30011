# Writes OUTPUT, a C++ source that defines the declared function FUNCTION (in NAMESPACE, declared in
# HEADER) to give the bytes of INPUT:
#   cmake -DINPUT=… -DOUTPUT=… -DNAMESPACE=… -DFUNCTION=… -DHEADER=… -P tools/embed_file.cmake
file(READ "${INPUT}" bytes HEX)
# Octets instead of a raw string: no limit of length, no delimiter that the text could contain.
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "    \\1\n" bytes "${bytes}")
file(WRITE "${OUTPUT}" "// Made from ${INPUT} by tools/embed_file.cmake.
#include \"${HEADER}\"

namespace ${NAMESPACE} {

namespace {
// As bytes above 0x7f would not fit into char.
constexpr unsigned char kBytes[] = {
${bytes}};
}  // namespace

std::string_view ${FUNCTION}() {
  return {reinterpret_cast<const char*>(kBytes), sizeof kBytes};
}

}  // namespace ${NAMESPACE}
")
