{{/* What several manifests say. */}}

{{- define "bitwright.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Of the release's objects; short enough for the name of a pool behind it. */}}
{{- define "bitwright.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "bitwright.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "bitwright.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "bitwright.selector" -}}
app.kubernetes.io/name: {{ include "bitwright.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "bitwright.labels" -}}
{{ include "bitwright.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Where pods of the cluster reach the server; its certificate must be for this name. */}}
{{- define "bitwright.address" -}}
{{- printf "%s.%s.svc:%v" (include "bitwright.fullname" .) .Release.Namespace .Values.service.port -}}
{{- end -}}

{{/* "repository:tag" of the image (a map) that is given with the root. */}}
{{- define "bitwright.image" -}}
{{- printf "%s:%s" .image.repository (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}

{{/* Of every pod: the user of the images, no right beyond his, a system call filter. */}}
{{- define "bitwright.podSecurity" -}}
runAsNonRoot: true
runAsUser: 7071
runAsGroup: 7071
fsGroup: 7071
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "bitwright.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end -}}

{{/* Nothing; fails where the server would let nobody in. */}}
{{- define "bitwright.checkCertificates" -}}
{{- if .Values.tls.clientCaSecretName -}}
{{- if and .Values.workers.pools (not .Values.workers.certificateSecretName) -}}
{{- fail "tls.clientCaSecretName asks every client for a certificate, and workers.certificateSecretName is empty: name the Secret with that of the workers, or leave the first one out" -}}
{{- end -}}
{{- if and .Values.keda.enabled (not .Values.keda.certificateSecretName) -}}
{{- fail "tls.clientCaSecretName asks every client for a certificate, and keda.certificateSecretName is empty: name the Secret with that of KEDA, or leave the first one out" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "bitwright.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}
