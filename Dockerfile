# docker build -t nginx-recording .                    the server
# docker build --target test -t nginx-recording-test . runs every test while it builds
# docker run --shm-size=1g -p 1935:1935 -p 8080:8080 -v videos:/var/lib/nginx-recording nginx-recording
FROM debian:bookworm-slim AS packages
WORKDIR /source
COPY tools/install_packages.sh tools/
RUN tools/install_packages.sh build run

FROM packages AS build
COPY . .
RUN tools/build.sh

FROM build AS test
RUN tests/run.sh

FROM debian:bookworm-slim
COPY tools/install_packages.sh /tmp/tools/
RUN /tmp/tools/install_packages.sh serve && rm -rf /var/lib/apt/lists/* /tmp/tools
COPY --from=build /source/build/ngx_recording_module.so /source/build/recording-launcher \
     /source/build/recording-worker /usr/lib/nginx/modules/
COPY --from=build /source/build/recording-inspect /usr/bin/
COPY conf-examples/docker.conf /etc/nginx/nginx.conf
VOLUME /var/lib/nginx-recording
EXPOSE 1935 8080
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
