; SPDX-License-Identifier: GPL-2.0-or-later
;
; The plugin's folder, closed to ordinary users: they may read and run what is in it, nothing else.
;
; Any user may create folders in %ProgramData%, so the plugin's folder and those above it may be
; there before the first installation, belong to anybody and hold anything, or be links to
; elsewhere. So the installer runs nothing that lies there, the uninstaller lies in %ProgramFiles%,
; and a folder is used only if it was made here: the system makes it with its rights in one step,
; and its number in the file system is kept in HKLM, where only administrators write. Any other
; folder of that name is renamed and never entered: deleting what is in it would follow links that
; its owner makes meanwhile. Links are refused. While a folder is held open here, nobody can rename
; it or those above it.
;
; The folders above, which all plugins share, must not be a user's either, who could exchange what
; is in them at any time. Such ones become the administrators', with the rights that folders there
; usually have: everybody can still add a plugin.

!define UNINSTALLER "$PROGRAMFILES64\obs-flashvsr\uninstall.exe"
; Owner: the administrators. Nothing is inherited from above, and everything below inherits this:
; SYSTEM and the administrators may do everything, users may read and execute.
!define RIGHTS "O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)"
; What a folder that an administrator makes in %ProgramData% inherits there: users may read, execute
; and add (0x116: files, folders, attributes), and have all rights over what they added.
!define RIGHTS_ABOVE "O:BAD:ARAI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIIOID;GA;;;CO)\
(A;OICIID;0x1200a9;;;BU)(A;CIID;0x116;;;BU)"
; Outlives an uninstallation that leaves models in the folder.
!define FOLDER_KEY "Software\obs-flashvsr"
!define CLOSED -1 ; INVALID_HANDLE_VALUE

Var Parent   ; handle of the folder above
Var Folder   ; handle of the plugin's folder
Var FolderId ; its number
Var Aside    ; what another folder in its place is called now
Var Reason   ; why the folder cannot be used

; Opens folder $1 itself, even if it is a link. While $0 is open, nobody can rename or delete it.
!macro HoldFolder
	System::Call "kernel32::CreateFileW(w r1, i 0x81, i 3, p 0, i 3, i 0x02200000, p 0) p .r0"
!macroend

!macro FolderFunctions un
; Sets $FolderId to the number of the folder that $Folder is. The structure is
; BY_HANDLE_FILE_INFORMATION: 52 bytes, the volume's number at 28, the file's at 44.
Function ${un}Identify
	StrCpy $FolderId ""
	System::Call "*(&v52) p .r1"
	System::Call "kernel32::GetFileInformationByHandle(p $Folder, p r1) i .r0"
	${If} $0 <> 0
		System::Call "*$1(&v28, i .r2, &v12, i .r3, i .r4)"
		StrCpy $FolderId "$2,$3,$4"
	${EndIf}
	System::Free $1
FunctionEnd

; Holds $INSTDIR in $Folder if it is the folder that was made here; otherwise $Folder is ${CLOSED}.
Function ${un}HoldOwnFolder
	StrCpy $1 $INSTDIR
	!insertmacro HoldFolder
	StrCpy $Folder $0
	${If} $Folder = ${CLOSED}
		Return
	${EndIf}
	Call ${un}Identify
	ReadRegStr $0 HKLM "${FOLDER_KEY}" Folder
	${If} $FolderId == ""
	${OrIf} $FolderId != $0
		Call ${un}ReleaseFolder
	${EndIf}
FunctionEnd

Function ${un}ReleaseFolder
	System::Call "kernel32::CloseHandle(p $Folder)"
	StrCpy $Folder ${CLOSED}
FunctionEnd
!macroend

!insertmacro FolderFunctions ""
!insertmacro FolderFunctions "un."

; Sets $Reason if $INSTDIR or a folder above it is a link; in %ProgramData% anybody may make one.
Function FindLinks
	StrLen $1 $APPDATA
	StrCpy $2 $INSTDIR $1
	${If} $2 != $APPDATA
		StrCpy $1 2
	${EndIf}
	${Do}
		IntOp $1 $1 + 1
		StrCpy $2 $INSTDIR 1 $1
		${If} $2 == "\"
		${OrIf} $2 == ""
			StrCpy $3 $INSTDIR $1
			System::Call "kernel32::GetFileAttributesW(w r3) i .r4"
			IntOp $5 $4 & 0x400
			${If} $4 <> -1
			${AndIf} $5 <> 0
				StrCpy $Reason "$3 is a link."
			${EndIf}
		${EndIf}
	${LoopUntil} $2 == ""
FunctionEnd

; $0 is 1 if the folder that handle $1 is belongs to SYSTEM (22) or the administrators (26).
Function IsAdministrators
	System::Call "*(&v256) p .r2"
	System::Call "advapi32::GetKernelObjectSecurity(p r1, i 1, p r2, i 256, *i .r3) i .r0"
	${If} $0 <> 0
		System::Call "advapi32::GetSecurityDescriptorOwner(p r2, *p .r3, *i .r4)"
		System::Call "advapi32::IsWellKnownSid(p r3, i 22) i .r0"
		${If} $0 = 0
			System::Call "advapi32::IsWellKnownSid(p r3, i 26) i .r0"
		${EndIf}
	${EndIf}
	System::Free $2
FunctionEnd

; Sets $Reason, or makes the folders between %ProgramData% and $INSTDIR the administrators'. Only
; the folders themselves are changed: what is in them may be links to files of others.
Function OwnFoldersAbove
	StrCpy $6 $INSTDIR
	StrLen $1 $APPDATA
	StrCpy $2 $INSTDIR $1
	${If} $2 != $APPDATA
		Return
	${EndIf}
	${Do}
		${GetParent} $6 $6
		${If} $6 == $APPDATA
			${Break}
		${EndIf}
		; READ_CONTROL, WRITE_DAC and WRITE_OWNER, of a link itself.
		System::Call "kernel32::CreateFileW(w r6, i 0xE0000, i 7, p 0, i 3, i 0x02200000, p 0) \
			p .r1 ?e"
		Pop $3
		${If} $1 = ${CLOSED}
			StrCpy $Reason "$6 keeps administrators out (error $3)."
			Return
		${EndIf}
		Call IsAdministrators
		${If} $0 = 0
			System::Call "advapi32::ConvertStringSecurityDescriptorToSecurityDescriptorW(\
				w '${RIGHTS_ABOVE}', i 1, *p .r2, p 0)"
			System::Call "advapi32::SetKernelObjectSecurity(p r1, i 5, p r2) i .r0 ?e"
			Pop $3
			System::Call "kernel32::LocalFree(p r2)"
		${EndIf}
		System::Call "kernel32::CloseHandle(p r1)"
		${If} $0 = 0
			StrCpy $Reason "$6 belongs to a user and stays so (error $3)."
		${EndIf}
	${Loop}
FunctionEnd

; Renames whatever is called $INSTDIR; $Aside is its new name.
Function SetAside
	System::Call "kernel32::GetTickCount() i .r1"
	IntFmt $1 "%u" $1
	StrCpy $Aside "$INSTDIR.replaced-$1"
	StrCpy $1 $INSTDIR
	StrCpy $2 $Aside
	System::Call "kernel32::MoveFileW(w r1, w r2) i .r0 ?e"
	Pop $3
	${If} $0 = 0
		StrCpy $Aside ""
		StrCpy $Reason "$INSTDIR is there and cannot be renamed (error $3)."
	${EndIf}
FunctionEnd

; Makes $INSTDIR with its rights and holds it in $Folder, all in one step. The structures are
; UNICODE_STRING (16 bytes), OBJECT_ATTRIBUTES and IO_STATUS_BLOCK.
Function MakeFolder
	StrCpy $9 "0xC0000022" ; no access
	System::Call "advapi32::ConvertStringSecurityDescriptorToSecurityDescriptorW(w '${RIGHTS}', \
		i 1, *p .r1, p 0) i .r0"
	${If} $0 <> 0
		StrCpy $2 $INSTDIR
		System::Call "*(p 0, p 0) p .r3"
		System::Call "ntdll::RtlDosPathNameToNtPathName_U(w r2, p r3, p 0, p 0) i .r0"
		System::Call "*(i 48, i 0, p 0, p r3, i 0x40, i 0, p r1, p 0) p .r4"
		System::Call "*(p 0, p 0) p .r5"
		; A new folder only (2), to be listed, held against renaming and deleting (3).
		System::Call "ntdll::NtCreateFile(*p .r6, i 0x120081, p r4, p r5, p 0, i 0, i 3, i 2, \
			i 0x21, p 0, i 0) i .r9"
		System::Call "ntdll::RtlFreeUnicodeString(p r3)"
		System::Free $5
		System::Free $4
		System::Free $3
		System::Call "kernel32::LocalFree(p r1)"
	${EndIf}
	${If} $9 = 0
		StrCpy $Folder $6
		Call Identify
	${Else}
		IntFmt $9 "0x%X" $9
		StrCpy $Reason "$INSTDIR cannot be made (status $9)."
	${EndIf}
FunctionEnd

; Sets $Reason if the volume keeps no rights, as FAT does not.
Function FindRights
	StrCpy $1 $INSTDIR 3
	System::Call "kernel32::GetVolumeInformationW(w r1, p 0, i 0, p 0, p 0, *i .r2, p 0, i 0) i .r0"
	IntOp $2 $2 & 8
	${If} $0 = 0
	${OrIf} $2 = 0
		StrCpy $Reason "$1 keeps no access rights."
	${EndIf}
FunctionEnd

; Sets $Reason, or holds a folder $INSTDIR that only administrators have ever written to.
Function PrepareFolder
	StrCpy $Reason ""
	StrCpy $Aside ""
	StrCpy $Folder ${CLOSED}
	; OBS looks for a plugin in a folder of its name, and a folder of another name may be
	; somebody's who did not mean it to be renamed.
	StrCpy $0 $INSTDIR "" -13
	${If} $0 != "\obs-flashvsr"
		StrCpy $Reason "$INSTDIR is not called obs-flashvsr."
		Return
	${EndIf}
	Call FindRights
	Call FindLinks
	${If} $Reason != ""
		Return
	${EndIf}
	${GetParent} $INSTDIR $1
	CreateDirectory $1
	!insertmacro HoldFolder
	StrCpy $Parent $0
	${If} $Parent = ${CLOSED}
		StrCpy $Reason "$1 cannot be opened."
		Return
	${EndIf}
	Call FindLinks ; now that nobody can exchange them any more
	${If} $Reason == ""
		Call OwnFoldersAbove
	${EndIf}
	${If} $Reason != ""
		Return
	${EndIf}
	Call HoldOwnFolder
	${If} $Folder = ${CLOSED}
		StrCpy $1 $INSTDIR
		System::Call "kernel32::GetFileAttributesW(w r1) i .r0"
		${If} $0 <> -1
			Call SetAside
		${EndIf}
		${If} $Reason == ""
			Call MakeFolder
		${EndIf}
	${EndIf}
	; Once more: an empty folder can become a link, and the one above was empty until now.
	${If} $Reason == ""
		Call FindLinks
		${If} $Reason != ""
			Call ReleaseFolder
			RMDir $INSTDIR
		${EndIf}
	${EndIf}
FunctionEnd

; An older version may have files that this one does not have any more. Sets $Reason if its
; uninstaller fails. An uninstaller that is registered in any other place is not run: the first
; version had it in the plugin's folder, where other users may have replaced it.
Function UninstallEarlier
	ReadRegStr $0 HKLM "${KEY}" UninstallString
	${If} $0 == '"${UNINSTALLER}"'
	${AndIf} ${FileExists} "${UNINSTALLER}"
		; '_?=' lets it run where it is, so that it can be waited for.
		${GetParent} "${UNINSTALLER}" $1
		ExecWait '"${UNINSTALLER}" /S _?=$1' $0
		${If} $0 <> 0
			StrCpy $Reason "The earlier version cannot be removed (exit status $0)."
		${EndIf}
	${EndIf}
FunctionEnd
