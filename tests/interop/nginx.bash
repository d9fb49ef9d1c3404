# Sourced by tests that serve OCSP responses: a real nginx with the configuration
# of docs/examples, below the working directory.
# shellcheck shell=bash

# The configuration of docs/examples, with another root and port.
nginx_conf() { # PORT
	local kind
	[ "$(id -u)" -ne 0 ] || echo 'user root;'
	cat <<-END
	pid $PWD/nginx.pid;
	error_log $PWD/nginx.log;
	worker_processes 1;
	events { worker_connections 64; }
	http {
		access_log $PWD/access.log;
	END
	for kind in client_body proxy fastcgi uwsgi scgi; do
		echo "	${kind}_temp_path $PWD/nginx-$kind;"
	done
	echo "	server { listen 127.0.0.1:$1;"
	sed "s,^root .*,root $PWD/srv;," \
		"$BATS_TEST_DIRNAME/../../docs/examples/ocsp-nginx.conf"
	echo '	} }'
}

# Serves srv/; its URL is in the file url, for the ones that ask.
start_nginx() {
	local port
	mkdir -p srv/ocsp
	printf '\060\003\012\001\006' >srv/unauthorized.ocsp
	for _ in 1 2 3 4 5; do
		port=$((20000 + RANDOM % 10000))
		nginx_conf $port >nginx.conf
		if /usr/sbin/nginx -p "$PWD" -c "$PWD/nginx.conf" 2>nginx.err; then
			echo "http://127.0.0.1:$port/ocsp" >url
			return 0
		fi
	done
	cat nginx.err
	return 1
}

stop_nginx() {
	kill "$(cat nginx.pid)"
}

# As from the room to the web server: docs/ocsp.md.
publish() { # BATCH
	cp -p ca/public/ocsp/"$1"/* srv/ocsp/
}
