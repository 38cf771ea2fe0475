// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// A certificate with its key, as the PEM blocks that files hold.
type identity struct {
	certificate, key []byte
}

// authority signs what the API server and its clients show each other. It is kept in ca.crt and ca.key of the folder.
type authority struct {
	files       identity
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	return key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), err
}

// sign makes a certificate for a new key; without a parent it signs itself.
func sign(template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (identity, *ecdsa.PrivateKey, error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return identity{}, nil, err
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return identity{}, nil, err
	}
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().AddDate(1, 0, 0)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	return identity{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), keyPEM}, key, err
}

func newAuthority(dir string) (*authority, error) {
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "controlplane"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	pair, key, err := sign(template, nil, nil)
	if err != nil {
		return nil, err
	}
	if err := pair.write(dir, "ca"); err != nil {
		return nil, err
	}
	parsed, err := parseCertificate(pair.certificate)
	return &authority{pair, parsed, key}, err
}

func loadAuthority(dir string) (*authority, error) {
	pair, err := readIdentity(dir, "ca")
	if err != nil {
		return nil, err
	}
	parsed, err := parseCertificate(pair.certificate)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(pair.key)
	if block == nil {
		return nil, errors.New("ca.key is not PEM")
	}
	key, err := x509.ParseECPrivateKey(block.Bytes)
	return &authority{pair, parsed, key}, err
}

func parseCertificate(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("a certificate that is not PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

func (ca *authority) server(names []string, addresses []net.IP) (identity, error) {
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "kube-apiserver"}, DNSNames: names, IPAddresses: addresses,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	pair, _, err := sign(template, ca.certificate, ca.key)
	return pair, err
}

func (ca *authority) client(user string, groups []string) (identity, error) {
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: user, Organization: groups}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	pair, _, err := sign(template, ca.certificate, ca.key)
	return pair, err
}

// trust is the configuration of a TLS client that believes this authority alone.
func (ca *authority) trust() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(ca.certificate)
	return &tls.Config{RootCAs: pool}
}

func (pair identity) write(dir, name string) error {
	if err := os.WriteFile(filepath.Join(dir, name+".crt"), pair.certificate, 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".key"), pair.key, 0o600)
}

func readIdentity(dir, name string) (identity, error) {
	certificate, err := os.ReadFile(filepath.Join(dir, name+".crt"))
	if err != nil {
		return identity{}, err
	}
	key, err := os.ReadFile(filepath.Join(dir, name+".key"))
	return identity{certificate, key}, err
}
