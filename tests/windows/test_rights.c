/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rights that the installer gives its folder, as the system reads them: SYSTEM and the
 * administrators may do everything, users may read and execute, nobody else has a right, nothing
 * comes from the folder above and all of it goes to what is below.
 *
 *	test_rights WINDOWS-FOLDER.NSH
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <windows.h>

#include <sddl.h>

#include "check.h"

#define START "!define RIGHTS \""
#define READ  (FILE_GENERIC_READ | FILE_GENERIC_EXECUTE)

static bool read_rights(const char *path, char rights[512])
{
	FILE *file = fopen(path, "r");
	bool found = false;

	while (file && !found && fgets(rights, 512, file)) {
		char *end = strrchr(rights, '"');

		found = !strncmp(rights, START, strlen(START)) && end;
		if (found) {
			*end = '\0';
			memmove(rights, rights + strlen(START), strlen(rights + strlen(START)) + 1);
		}
	}
	if (file)
		fclose(file);
	return found;
}

static void check_entry(const ACCESS_ALLOWED_ACE *entry, unsigned seen[3])
{
	PSID sid = (PSID)&entry->SidStart;
	const bool system = IsWellKnownSid(sid, WinLocalSystemSid);
	const bool administrators = IsWellKnownSid(sid, WinBuiltinAdministratorsSid);
	const bool users = IsWellKnownSid(sid, WinBuiltinUsersSid);

	seen[0] += system;
	seen[1] += administrators;
	seen[2] += users;
	CHECK(entry->Header.AceType == ACCESS_ALLOWED_ACE_TYPE);
	CHECK(entry->Header.AceFlags == (OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE));
	CHECK(system || administrators || users);
	CHECK(entry->Mask == (users ? READ : FILE_ALL_ACCESS));
}

static void check_descriptor(PSECURITY_DESCRIPTOR descriptor)
{
	SECURITY_DESCRIPTOR_CONTROL control = 0;
	BOOL present = FALSE, defaulted;
	unsigned seen[3] = {0};
	DWORD revision;
	PSID owner = NULL;
	ACL *list = NULL;
	void *entry;

	CHECK(GetSecurityDescriptorControl(descriptor, &control, &revision));
	CHECK(control & SE_DACL_PROTECTED);
	CHECK(GetSecurityDescriptorOwner(descriptor, &owner, &defaulted));
	CHECK(owner && IsWellKnownSid(owner, WinBuiltinAdministratorsSid));
	CHECK(GetSecurityDescriptorDacl(descriptor, &present, &list, &defaulted));
	if (!CHECK(present && list))
		return;
	for (DWORD i = 0; i < list->AceCount; i++)
		if (CHECK(GetAce(list, i, &entry)))
			check_entry(entry, seen);
	CHECK(seen[0] == 1 && seen[1] == 1 && seen[2] == 1);
}

int main(int argc, char **argv)
{
	PSECURITY_DESCRIPTOR descriptor = NULL;
	char rights[512];

	if (argc != 2 || !CHECK(read_rights(argv[1], rights)))
		return 1;
	printf("%s\n", rights);
	if (CHECK(ConvertStringSecurityDescriptorToSecurityDescriptorA(rights, SDDL_REVISION_1,
								       &descriptor, NULL)))
		check_descriptor(descriptor);
	LocalFree(descriptor);
	return check_result();
}
