# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # what sources it sets $prefix and $work
#
# For the scripts that make libraries for packages: writes down what each library is, in the list
# "$prefix/components", which scripts/sbom.py reads. A line has name, version, licence (an expression
# of SPDX), how it is used (linked, shipped or headers), purl, and a file with its SHA-256, separated
# by tabs. Sources are those that apt has unpacked in "$work".

component() { # NAME VERSION LICENCE USE PURL FILE
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$5" "${6##*/}" \
		"$(sha256sum <"$6" | cut -d ' ' -f 1)" >>"$prefix/components"
}

source_of() { # PACKAGE
	find "$work" -mindepth 1 -maxdepth 1 -type d -name "$1-[0-9]*"
}

# One of Debian's source packages, linked statically; its licence is kept in "$prefix/licences".
source_component() { # PACKAGE LICENCE
	local folder version

	folder=$(source_of "$1")
	version=$(dpkg-parsechangelog -l "$folder/debian/changelog" -S Version)
	cp "$folder/debian/copyright" "$prefix/licences/$1"
	# The description of a source package names all its files with their sums.
	component "$1" "$version" "$2" linked "pkg:deb/debian/$1@$version?arch=source" \
		"$work/${1}_${version#*:}.dsc"
	echo "$1 $version"
}
