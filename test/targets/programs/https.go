// A client and a server of net/http:
//
//	https client URL BODY
//	https server PORT CERT KEY
package main

import (
	"io"
	"net/http"
	"os"
	"strings"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	arguments := os.Args[2:]
	if os.Args[1] == "server" {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := io.Copy(w, r.Body)
			must(err)
		})
		must(http.ListenAndServeTLS("127.0.0.1:"+arguments[0], arguments[1], arguments[2], handler))
	}
	response, err := http.Post(arguments[0], "text/plain", strings.NewReader(arguments[1]))
	must(err)
	_, err = io.Copy(io.Discard, response.Body)
	must(err)
	response.Body.Close()
}
