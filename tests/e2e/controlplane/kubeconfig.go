// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
)

// kubeconfig says where the API server is, whom to believe, and who one is: a token, or else a client certificate.
type kubeconfig struct {
	server string
	ca     []byte
	token  string
	client identity
}

func (config kubeconfig) String() string {
	user := "    token: " + config.token
	if config.token == "" {
		user = "    client-certificate-data: " + base64.StdEncoding.EncodeToString(config.client.certificate) +
			"\n    client-key-data: " + base64.StdEncoding.EncodeToString(config.client.key)
	}
	return fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: test
  cluster:
    server: %s
    certificate-authority-data: %s
users:
- name: user
  user:
%s
contexts:
- name: test
  context:
    cluster: test
    user: user
current-context: test
`, config.server, base64.StdEncoding.EncodeToString(config.ca), user)
}

func printKubeconfig(arguments []string) error {
	options := flag.NewFlagSet("kubeconfig", flag.ExitOnError)
	dir := options.String("dir", "", "`folder` of the control plane")
	server := options.String("server", "", "`URL` of the API server, as its user sees it")
	token := options.String("token", "", "of the user; without one, a client certificate is made")
	user := options.String("user", "admin", "whom the certificate names")
	groups := options.String("groups", "", "of that user, separated by commas")
	options.Parse(arguments)
	if *dir == "" || *server == "" || options.NArg() > 0 {
		return errors.New("needs --dir and --server, and nothing else")
	}
	ca, err := loadAuthority(*dir)
	if err != nil {
		return err
	}
	config := kubeconfig{server: *server, ca: ca.files.certificate, token: *token}
	if *token == "" {
		if config.client, err = ca.client(*user, strings.FieldsFunc(*groups, func(r rune) bool { return r == ',' })); err != nil {
			return err
		}
	}
	_, err = fmt.Fprint(os.Stdout, config)
	return err
}
