; SPDX-License-Identifier: GPL-2.0-or-later
;
; The installer for Windows, made by installer/windows.sh, which gives VERSION, STAGE (the folder
; obs-flashvsr as it shall be), FILES (a list of what is in it, as code), OUTPUT and COMPRESSOR; and
; CUBLASLT, if there shall be an optional part: a folder with NVIDIA's library and its licence.
;
; Everything goes where OBS looks for plugins of all users, %ProgramData%\obs-studio\plugins, so it
; does not matter where OBS itself is; windows-folder.nsh says how other users are kept out of it.
; What it takes away again is what it brought: models that somebody has put beside the bundled one
; stay.
;
;	/S	no questions and no windows. Exit status 0: done; 2: something failed;
;		3: OBS is running, nothing was changed
;	/NOCUBLASLT	without the optional part
;	/D=...	another folder, called obs-flashvsr; must be the last argument

Target amd64-unicode
Unicode true
ManifestDPIAware true
RequestExecutionLevel admin
SetCompressor /SOLID ${COMPRESSOR}

!include FileFunc.nsh
!include LogicLib.nsh
!include MUI2.nsh
!include "${FILES}"

!define KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\obs-flashvsr"
!define FAILED 2
!define OBS_RUNS 3

!include "${__FILEDIR__}/windows-folder.nsh"

Name "FlashVSR Upscale ${VERSION} for OBS Studio"
OutFile "${OUTPUT}"
BrandingText "obs-flashvsr ${VERSION}"
VIProductVersion "${VERSION}.0"
VIAddVersionKey ProductName "obs-flashvsr"
VIAddVersionKey FileDescription "Installer of the filter FlashVSR Upscale for OBS Studio"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey LegalCopyright "GPL-2.0-or-later"

!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_TITLE "$(done)"
!define MUI_FINISHPAGE_TEXT "$(next)"
!insertmacro MUI_PAGE_LICENSE "${STAGE}/LICENSE.txt"
!ifdef CUBLASLT
!define MUI_COMPONENTSPAGE_NODESC
!insertmacro MUI_PAGE_COMPONENTS
!endif
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES

!insertmacro MUI_LANGUAGE English
!insertmacro MUI_LANGUAGE German
!insertmacro MUI_LANGUAGE Spanish
!insertmacro MUI_LANGUAGE French
!insertmacro MUI_LANGUAGE PortugueseBR
!insertmacro MUI_LANGUAGE Japanese
!insertmacro MUI_LANGUAGE Korean
!insertmacro MUI_LANGUAGE SimpChinese

LangString done ${LANG_ENGLISH} "FlashVSR Upscale is installed"
LangString next ${LANG_ENGLISH} "In OBS Studio: right-click a source, Filters, +, FlashVSR Upscale."
LangString obs_runs ${LANG_ENGLISH} "OBS Studio is running. Close it and try again."
LangString done ${LANG_GERMAN} "FlashVSR Upscale ist installiert"
LangString next ${LANG_GERMAN} "In OBS Studio: Rechtsklick auf eine Quelle, Filter, +, FlashVSR Upscale."
LangString obs_runs ${LANG_GERMAN} "OBS Studio läuft. Bitte beenden und noch einmal versuchen."
LangString done ${LANG_SPANISH} "FlashVSR Upscale está instalado"
LangString next ${LANG_SPANISH} "En OBS Studio: clic derecho en una fuente, Filtros, +, FlashVSR Upscale."
LangString obs_runs ${LANG_SPANISH} "OBS Studio está abierto. Ciérrelo e inténtelo de nuevo."
LangString done ${LANG_FRENCH} "FlashVSR Upscale est installé"
LangString next ${LANG_FRENCH} "Dans OBS Studio : clic droit sur une source, Filtres, +, FlashVSR Upscale."
LangString obs_runs ${LANG_FRENCH} "OBS Studio est ouvert. Fermez-le et réessayez."
LangString done ${LANG_PORTUGUESEBR} "O FlashVSR Upscale está instalado"
LangString next ${LANG_PORTUGUESEBR} "No OBS Studio: clique com o botão direito em uma fonte, Filtros, +, FlashVSR Upscale."
LangString obs_runs ${LANG_PORTUGUESEBR} "O OBS Studio está aberto. Feche-o e tente de novo."
LangString done ${LANG_JAPANESE} "FlashVSR Upscale をインストールしました"
LangString next ${LANG_JAPANESE} "OBS Studio でソースを右クリックし、フィルタ、+、FlashVSR Upscale の順に選びます。"
LangString obs_runs ${LANG_JAPANESE} "OBS Studio が起動しています。終了してからもう一度お試しください。"
LangString done ${LANG_KOREAN} "FlashVSR Upscale이 설치되었습니다"
LangString next ${LANG_KOREAN} "OBS Studio에서 소스를 마우스 오른쪽 버튼으로 클릭하고 필터, +, FlashVSR Upscale을 선택하세요."
LangString obs_runs ${LANG_KOREAN} "OBS Studio가 실행 중입니다. 종료한 뒤 다시 시도하세요."
LangString done ${LANG_SIMPCHINESE} "FlashVSR Upscale 已安装"
LangString next ${LANG_SIMPCHINESE} "在 OBS Studio 中：右键单击来源，选择“滤镜”、“+”、FlashVSR Upscale。"
LangString obs_runs ${LANG_SIMPCHINESE} "OBS Studio 正在运行。请将其关闭后重试。"

LangString refused ${LANG_ENGLISH} "FlashVSR Upscale was not installed."
LangString aside ${LANG_ENGLISH} "$INSTDIR was there already, and other users could change it. It is now called $Aside, and nothing in it is used. If you keep models in it, move them to a folder of your own."
LangString refused ${LANG_GERMAN} "FlashVSR Upscale wurde nicht installiert."
LangString aside ${LANG_GERMAN} "$INSTDIR war schon da, und andere Benutzer konnten den Inhalt ändern. Der Ordner heißt jetzt $Aside, und nichts darin wird benutzt. Eigene Modelle darin verschieben Sie bitte in einen eigenen Ordner."
LangString refused ${LANG_SPANISH} "FlashVSR Upscale no se instaló."
LangString aside ${LANG_SPANISH} "$INSTDIR ya existía y otros usuarios podían modificarla. Ahora se llama $Aside y no se usa nada de lo que contiene. Si guarda modelos en ella, muévalos a una carpeta propia."
LangString refused ${LANG_FRENCH} "FlashVSR Upscale n’a pas été installé."
LangString aside ${LANG_FRENCH} "$INSTDIR existait déjà et d’autres utilisateurs pouvaient le modifier. Ce dossier s’appelle maintenant $Aside et rien de ce qu’il contient n’est utilisé. S’il contient vos modèles, déplacez-les dans un dossier à vous."
LangString refused ${LANG_PORTUGUESEBR} "O FlashVSR Upscale não foi instalado."
LangString aside ${LANG_PORTUGUESEBR} "$INSTDIR já existia e outros usuários podiam alterá-la. Agora ela se chama $Aside, e nada do que há nela é usado. Se você guarda modelos nela, mova-os para uma pasta sua."
LangString refused ${LANG_JAPANESE} "FlashVSR Upscale はインストールされませんでした。"
LangString aside ${LANG_JAPANESE} "$INSTDIR は既に存在し、ほかのユーザーが変更できる状態でした。名前を $Aside に変更しました。中のファイルは使用されません。自分のモデルがある場合は、自分のフォルダーに移動してください。"
LangString refused ${LANG_KOREAN} "FlashVSR Upscale이 설치되지 않았습니다."
LangString aside ${LANG_KOREAN} "$INSTDIR 폴더가 이미 있었고 다른 사용자가 바꿀 수 있는 상태였습니다. 이름을 $Aside(으)로 바꾸었으며, 그 안의 파일은 사용되지 않습니다. 직접 넣어 둔 모델이 있으면 자신의 폴더로 옮기세요."
LangString refused ${LANG_SIMPCHINESE} "FlashVSR Upscale 未安装。"
LangString aside ${LANG_SIMPCHINESE} "$INSTDIR 原已存在，且其他用户可以更改其内容。它现已改名为 $Aside，其中的文件均不会被使用。如果其中有您自己的模型，请将其移到您自己的文件夹。"

LangString cublaslt ${LANG_ENGLISH} "NVIDIA cuBLASLt: faster with the released model on NVIDIA cards"
LangString cublaslt ${LANG_GERMAN} "NVIDIA cuBLASLt: schneller mit dem veröffentlichten Modell auf NVIDIA-Karten"
LangString cublaslt ${LANG_SPANISH} "NVIDIA cuBLASLt: más rápido con el modelo publicado en tarjetas NVIDIA"
LangString cublaslt ${LANG_FRENCH} "NVIDIA cuBLASLt : plus rapide avec le modèle publié sur les cartes NVIDIA"
LangString cublaslt ${LANG_PORTUGUESEBR} "NVIDIA cuBLASLt: mais rápido com o modelo publicado em placas NVIDIA"
LangString cublaslt ${LANG_JAPANESE} "NVIDIA cuBLASLt：公開モデルを NVIDIA のカードで高速化"
LangString cublaslt ${LANG_KOREAN} "NVIDIA cuBLASLt: NVIDIA 카드에서 공개 모델을 더 빠르게 실행"
LangString cublaslt ${LANG_SIMPCHINESE} "NVIDIA cuBLASLt：在 NVIDIA 显卡上更快地运行已发布的模型"

; ---- is OBS running? --------------------------------------------------------------------------

; Files that OBS has loaded can neither be replaced nor removed. $R0 becomes 1 when a process is
; called obs64.exe. The structure is PROCESSENTRY32W for 64 bits: 568 bytes, the name at 44.
!macro LookForObs
	StrCpy $R0 0
	System::Call "kernel32::CreateToolhelp32Snapshot(i 2, i 0) p .r1"
	System::Alloc 568
	Pop $2
	System::Call "*$2(i 568)"
	System::Call "kernel32::Process32FirstW(p r1, p r2) i .r3"
	${While} $3 <> 0
		IntPtrOp $4 $2 + 44
		System::Call "*$4(&w260 .r5)"
		${If} $5 == "obs64.exe"
			StrCpy $R0 1
		${EndIf}
		System::Call "kernel32::Process32NextW(p r1, p r2) i .r3"
	${EndWhile}
	System::Free $2
	System::Call "kernel32::CloseHandle(p r1)"
!macroend

!macro RefuseWhileObsRuns
	!insertmacro LookForObs
	${While} $R0 = 1
		SetErrorLevel ${OBS_RUNS}
		${If} ${Silent}
			Abort
		${EndIf}
		MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(obs_runs)" IDRETRY +2
		Abort
		!insertmacro LookForObs
	${EndWhile}
	SetErrorLevel 0
!macroend

; ---- parts ------------------------------------------------------------------------------------

Function Refuse
	MessageBox MB_OK|MB_ICONSTOP "$(refused)$\r$\n$\r$\n$Reason" /SD IDOK
	SetErrorLevel ${FAILED}
	Abort
FunctionEnd

Section "FlashVSR Upscale"
	SectionIn RO
	Call PrepareFolder
	${If} $Reason == ""
		Call UninstallEarlier
	${EndIf}
	${If} $Reason != ""
		Call Refuse
	${EndIf}
	${If} $Aside != ""
		MessageBox MB_OK|MB_ICONINFORMATION "$(aside)" /SD IDOK
	${EndIf}
	ClearErrors
	!insertmacro PutFiles
	${GetParent} "${UNINSTALLER}" $0
	CreateDirectory $0
	WriteUninstaller "${UNINSTALLER}"
	WriteRegStr HKLM "${KEY}" DisplayName "FlashVSR Upscale for OBS Studio"
	WriteRegStr HKLM "${KEY}" DisplayVersion "${VERSION}"
	WriteRegStr HKLM "${KEY}" Publisher "The obs-flashvsr authors"
	WriteRegStr HKLM "${KEY}" InstallLocation "$INSTDIR"
	WriteRegStr HKLM "${FOLDER_KEY}" Folder "$FolderId"
	WriteRegStr HKLM "${KEY}" DisplayIcon "${UNINSTALLER}"
	WriteRegStr HKLM "${KEY}" UninstallString '"${UNINSTALLER}"'
	WriteRegStr HKLM "${KEY}" QuietUninstallString '"${UNINSTALLER}" /S'
	WriteRegDWORD HKLM "${KEY}" EstimatedSize ${KIB}
	WriteRegDWORD HKLM "${KEY}" NoModify 1
	WriteRegDWORD HKLM "${KEY}" NoRepair 1
	${If} ${Errors}
		SetErrorLevel ${FAILED}
		Abort
	${EndIf}
SectionEnd

!ifdef CUBLASLT
Section "$(cublaslt)" optional
	SetOutPath "$INSTDIR\bin\64bit"
	File "${CUBLASLT}/cublasLt64_13.dll"
	SetOutPath "$INSTDIR\licences"
	File "${CUBLASLT}/cuBLAS.txt"
	${If} ${Errors}
		SetErrorLevel ${FAILED}
		Abort
	${EndIf}
SectionEnd
!endif

; ---- starting ---------------------------------------------------------------------------------

Function .onInit
	SetShellVarContext all
	SetRegView 64
	${If} $INSTDIR == ""
		StrCpy $INSTDIR "$APPDATA\obs-studio\plugins\obs-flashvsr"
	${EndIf}
	!insertmacro RefuseWhileObsRuns
!ifdef CUBLASLT
	${GetParameters} $R1
	ClearErrors
	${GetOptions} $R1 "/NOCUBLASLT" $R2
	${IfNot} ${Errors}
		SectionSetFlags ${optional} 0
	${EndIf}
	ClearErrors
!endif
FunctionEnd

Function un.onInit
	SetShellVarContext all
	SetRegView 64
	; It does not lie in the folder that it empties.
	ReadRegStr $INSTDIR HKLM "${KEY}" InstallLocation
	!insertmacro RefuseWhileObsRuns
FunctionEnd

; ---- uninstalling -----------------------------------------------------------------------------

Section Uninstall
	; A folder that took the place of the one that was installed holds nothing of ours.
	Call un.HoldOwnFolder
	${If} $Folder <> ${CLOSED}
		!insertmacro RemoveFiles
		Delete "$INSTDIR\bin\64bit\cublasLt64_13.dll"
		Delete "$INSTDIR\licences\cuBLAS.txt"
		; Only what is empty: not while there are models of the user's.
		!insertmacro RemoveFolders
		Call un.ReleaseFolder
		RMDir "$INSTDIR"
	${EndIf}
	${IfNot} ${FileExists} "$INSTDIR\*.*"
		DeleteRegKey HKLM "${FOLDER_KEY}"
	${EndIf}
	Delete "${UNINSTALLER}"
	${GetParent} "${UNINSTALLER}" $0
	RMDir $0
	DeleteRegKey HKLM "${KEY}"
SectionEnd
