# Build the nginx-free core with CMake, then give our own objects C++ flags.
# nginx has no CXXFLAGS: -std=c++20 in CFLAGS breaks its C files under -Werror.
# RECORDING_CC_OPT: flags for our objects only (RECORDING_CMAKE_ARGS: for the
# core), such as those of a sanitizer.
cat << END                                                >> $NGX_MAKEFILE

.PHONY: recording_core
recording_core:
	cmake -S $ngx_addon_dir -B $RECORDING_CORE_DIR \\
		-DCMAKE_C_COMPILER="\$(CC)" \\
		-DCMAKE_BUILD_TYPE=RelWithDebInfo -DRECORDING_TESTS=OFF \\
		$RECORDING_CMAKE_ARGS
	+cmake --build $RECORDING_CORE_DIR --target recording_core recording-inspect recording-launcher \\
		recording-worker

# The empty command makes make look at the library's time again.
$RECORDING_CORE_LIB:	recording_core
	@:

END

recording_threads=
if [ $USE_THREADS != YES ]; then
    recording_threads=-DNGX_THREADS=1
fi

for recording_src in $RECORDING_SRCS; do
    recording_obj=$NGX_OBJS/addon/ngx_module/`basename $recording_src .cpp`.o
    echo "$recording_obj: CFLAGS += -std=c++20 -O2 -fvisibility=hidden" \
        "$recording_threads $RECORDING_CC_OPT" >> $NGX_MAKEFILE
done
