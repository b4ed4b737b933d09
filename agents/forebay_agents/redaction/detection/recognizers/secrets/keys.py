"""Keys: what programs show instead of a password. Prefixes are their makers' own."""

from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer
from forebay_agents.redaction.detection.recognizers.secrets.strength import secret

_PREFIXED = (
    r"(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}",
    r"gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{22,255}",
    r"gl(?:pat|ptt|rt|soat)-[A-Za-z0-9_\-]{20,64}",
    r"xox[abeoprs]-[A-Za-z0-9\-]{10,250}|xapp-[A-Za-z0-9\-]{10,250}",
    r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,250}|whsec_[A-Za-z0-9+/=]{24,80}",
    r"sk-(?:proj-|svcacct-|admin-|ant-(?:api\d{2}-)?|or-v1-)?[A-Za-z0-9_\-]{20,250}",
    r"AIza[0-9A-Za-z_\-]{33,40}|ya29\.[0-9A-Za-z_\-]{20,1000}|GOCSPX-[A-Za-z0-9_\-]{20,40}",
    r"SG\.[A-Za-z0-9_\-]{16,32}(?:\.[A-Za-z0-9_\-]{30,64})?|key-[0-9a-z]{32}",
    r"npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_\-]{40,300}|hf_[A-Za-z0-9]{30,64}|r8_[A-Za-z0-9]{30,50}",
    r"do[opr]_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|sq0[a-z]{3}-[0-9A-Za-z_\-]{20,50}",
    r"EAAA[A-Za-z0-9_\-]{50,80}",
    r"(?:gsk|xai|pplx|nvapi|fw|tgp_v1|co)[_\-][A-Za-z0-9_\-]{32,120}",
    r"LTAI[A-Za-z0-9]{12,24}|AKID[A-Za-z0-9]{32}|AQVN[A-Za-z0-9_\-]{35,38}|SCW[A-Z0-9]{17}",
    r"HRKU-[A-Za-z0-9_\-]{36,64}|sbp_[0-9a-f]{40}",
    r"(?:glc|glsa|pscale_(?:tkn|pw|oauth)|nfp|ntn|sntrys|dckr_pat|PMAK|NRAK|nrk|ABSK)[_\-]?[A-Za-z0-9_\-+/=]{24,250}",
    r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.\-]{31,34}|AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{50,64}|fm2_[A-Za-z0-9+/=]{40,800}",
    r"dapi[0-9a-f]{32}|hvs\.[A-Za-z0-9_\-]{24,200}|dp\.pt\.[A-Za-z0-9]{40,50}|lin_api_[A-Za-z0-9]{32,50}",
    r"ATATT3[A-Za-z0-9_\-=]{50,250}",
    r"\d{8,10}:AA[A-Za-z0-9_\-]{32,34}|[MNO][A-Za-z\d_\-]{23,26}\.[A-Za-z\d_\-]{6}\.[A-Za-z\d_\-]{27,40}",
)
_MARKS = (
    "akia", "asia", "aroa", "aida", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "glp", "glrt-", "glsoat-",
    "xox", "xapp", "_live_", "_test_", "whsec_", "sk-", "aiza", "ya29", "gocspx", "sg.", "key-", "npm_", "pypi-",
    "hf_", "r8_", "_v1_", "shp", "sq0", "eaaa", "gsk", "xai", "pplx", "nvapi", "fw_", "fw-", "tgp_", "co_", "co-",
    "ltai", "akid", "aqvn", "scw", "hrku-", "sbp_", "glc_", "glsa_", "pscale_", "nfp_", "ntn_", "sntrys_", "dckr_pat",
    "pmak-", "nrak-", "absk", "q~", "age-secret", "fm2_", "dapi", "hvs.", "dp.pt", "lin_", "atatt", ":aa",
)  # fmt: skip
"""One of these is in whatever ``_PREFIXED`` finds."""


def keys() -> RuleRecognizer:
    """Recogniser of keys and tokens."""
    return RuleRecognizer(
        "keys",
        [
            Rule(
                kind="PRIVATE_KEY",
                pattern=r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----END)[\s\S]){0,20000}"
                r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?",
                score=1.0,
                hints=("-----begin",),
                reach=21_000,
            ),
            Rule(
                kind="JWT",
                pattern=r"(?<![\w\-])eyJ[A-Za-z0-9_\-]{8,4000}\.[A-Za-z0-9_\-]{8,8000}(?:\.[A-Za-z0-9_\-]{0,4000})?",
                score=1.0,
                hints=("eyj",),
                reach=16_500,
                flags=0,
            ),
            Rule(
                kind="API_KEY",
                pattern=rf"(?<![A-Za-z0-9_\-])(?:{'|'.join(_PREFIXED)})(?![A-Za-z0-9])",
                score=1.0,
                check=lambda text: None if len(set(text[6:])) > 4 else False,
                hints=_MARKS,
                run=15,
                reach=1_200,
                flags=0,
            ),
            Rule(
                kind="API_KEY",  # Twilio's; apart, since "ac" is in every third text
                pattern=r"(?<![A-Za-z0-9_\-])(?:AC|SK)[0-9a-f]{32}(?![A-Za-z0-9])",
                score=1.0,
                check=lambda text: None if len(set(text[6:])) > 4 else False,
                digits=4,
                hints=("ac", "sk"),
                run=34,
                flags=0,
            ),
            Rule(
                kind="CONNECTION_STRING",
                pattern=r"\b(?:[a-z][a-z0-9+.\-]{1,30})://[^\s/:@\"'<>]{0,128}:[^\s/@\"'<>]{1,256}@[^\s\"'<>]{1,500}",
                score=1.0,
                hints=("://",),
                check=lambda text: False if text.lower().startswith(("http://", "https://")) else None,
            ),
            Rule(
                kind="CONNECTION_STRING",
                pattern=r"(?:AccountKey|SharedAccessKey|SharedAccessSignature|sig)=(?P<v>[A-Za-z0-9+/%=]{20,200})",
                score=1.0,
                hints=("key=", "sig=", "signature="),
            ),
            Rule(
                kind="BEARER_TOKEN",
                pattern=r"\b(?:bearer|basic|"
                r"token)\s{1,3}(?P<v>(?=[A-Za-z0-9._~+/=\-]{0,60}\d)[A-Za-z0-9._~+/\-]{12,4000}={0,2})",
                score=0.9,
                hints=("bearer ", "basic ", "token "),
                reach=4_100,
                check=secret,
            ),
            Rule(
                kind="API_KEY",
                pattern=r"(?<![A-Za-z])(?:token|auth|credential|apitoken)[\"']?\s{0,2}[:=]\s{0,2}[\"']?"
                r"(?P<v>(?=[A-Za-z_\-]{0,63}\d)[A-Za-z0-9_\-.]{12,400})(?![A-Za-z0-9])",
                score=0.8,
                hints=("token", "auth", "credential"),
                check=lambda text: None if sum(map(str.isdigit, text)) >= 3 and len(set(text)) > 5 else False,
            ),
            Rule(
                kind="API_KEY",
                pattern=r"(?<![A-Za-z0-9+/=_\-])(?=[A-Za-z0-9+/_\-]{0,39}\d)(?=[A-Za-z0-9+/_\-]{0,39}[A-Z])[A-Za-z0-9+/_\-]{32,64}={0,2}"
                r"(?![A-Za-z0-9+/=_\-])",
                context=r"secret|api[_ \-]?key|\btoken\b|credential|\baws\b|auth|password",
                hints=("secret", "key", "token", "credential", "aws", "auth", "password"),
                flags=0,
                after=0,
            ),
            Rule(
                kind="API_KEY",  # hexadecimal, behind a word for it
                pattern=r"(?<![A-Za-z0-9+/=_\-])[0-9a-f]{32,128}(?![A-Za-z0-9+/=_\-])",
                context=r"api[_ \-]?key|\btoken\b|\bpat\b|credential|access key|secret key",
                unless=r"\bsha|\bmd5|hash|digest|checksum|commit|\betag|fingerprint|trace|span",
                check=lambda text: None if len(set(text)) > 6 else False,
                hints=("key", "token", "pat", "credential"),
                run=32,
                flags=0,
                before=24,
                after=0,
            ),
        ],
    )
