"""Tiny corpora in each corpus's own layout, with sound that decodes: two to six good clips and one of every kind of trouble.

The sentences are made up; what is held to the published corpora is the layout alone.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import av
import numpy as np
import soundfile

RATE = 16_000


def sound(file: Path, rate: int = RATE) -> Path:
    """A third of a second of noise that differs with the file's name, as WAV or FLAC."""
    file.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(list(file.stem.encode())).normal(0, 0.1, rate // 3)
    soundfile.write(file, noise, rate)
    return file


def media(file: Path, codec: str, video: bool = False) -> Path:
    """A third of a second of noise in WebM or AVI, with a black picture where it is a video."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w") as container:
        stream = cast(av.AudioStream, container.add_stream(codec, rate=48_000, layout="mono"))
        pictures = container.add_stream("mpeg4", rate=25) if video else None
        if pictures is not None:
            pictures.width, pictures.height, pictures.pix_fmt = 32, 32, "yuv420p"
            picture = av.VideoFrame.from_ndarray(np.zeros((48, 32), dtype=np.uint8), format="yuv420p")
            container.mux([*pictures.encode(picture), *pictures.encode(None)])
        noise = np.random.default_rng(list(file.stem.encode())).normal(0, 3000, (1, 16_000)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(noise, format="s16", layout="mono")
        frame.rate = 48_000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return file


def write(file: Path, text: str, encoding: str = "utf-8") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding=encoding)


@dataclass(frozen=True)
class Miniature:
    """How to write it; which clips a reader finds; end of the path of what it leaves out -> part of the reason."""

    build: Callable[[Path], None]
    clips: tuple[str, ...]
    trouble: dict[str, str] = field(default_factory=dict)


def manifest(root: Path) -> None:
    sound(root / "a.wav")
    write(root / "manifest.csv", "path,sex,labels,language\na.wav,F,joy,en\ngone.wav,F,joy,en\n")


def emodb(root: Path) -> None:
    for name in ("03a01Wa", "08b10Nc", "16a02Tb", "07a01Wa", "03a01Xa", "hello"):
        sound(root / "wav" / f"{name}.wav")


def ravdess(root: Path) -> None:
    for name in ("03-01-06-01-02-01-12", "03-02-06-01-02-01-12", "03-01-09-01-02-01-12"):
        sound(root / "Actor_12" / f"{name}.wav", 48_000)
    sound(root / "Actor_01" / "03-01-01-01-01-01-01.wav", 48_000)
    sound(root / "Actor_01" / "03-01-01-01-01-02-02.wav", 48_000)


def jl_corpus(root: Path) -> None:
    folder = root / "Raw JL corpus (unchecked and unannotated)" / "JL(wav+txt)"
    for name in ("female1_angry_10a_1", "male2_encouraging_3b_2", "male2_bored_3b_2", "female1_angry"):
        sound(folder / f"{name}.wav", 44_100)
    write(folder / "female1_angry_10a_1.txt", "Tom beats that farmer.\n")


def esd(root: Path) -> None:
    for name in ("0001/Happy/0001_000351", "0011/Angry/0011_000351", "0011/Sad/0011_001051", "0011/Bored/0011_000001"):
        sound(root / f"{name}.wav")
    write(root / "0001/0001.txt", "0001_000351\t打远一看。\t快乐\n", "gb18030")
    write(root / "0011/0011.txt", "0011_000351\tThe nine the eggs.\tAngry\n0011_001051\tTom said so.\tNeutral\n")


def emns(root: Path) -> None:
    head = "id|utterance|description|emotion|level|age|gender|audio_recording|user_id\n"
    rows = [
        f"{n}|It is late.|softly|{emotion}|5|20s|Female|wavs/recorded_{n}.webm|3\n"
        for n, emotion in enumerate(("Sarcastic", "Surprised", "Angry", "Hungry"))
    ]
    write(root / "metadata.csv", head + "".join(rows))
    for n in (0, 1, 3, 7):
        media(root / "cleaned_webm" / f"recorded_{n}.webm", "libopus")


def enterface(root: Path) -> None:
    for name in (
        "subject 1/anger/sentence 1/s1_an_1",
        "subject 3/happiness/sentence 2/s_3_ha_2",
        "subject 6/fear/s6_fe_4",
        "subject 6/fear/s6_su_5",
        "subject 6/fear/s5_fe_5",
    ):
        media(root / f"{name}.avi", "pcm_s16le", video=True)


def iemocap(root: Path) -> None:
    turns = (
        (
            "Ses01F_impro01_F000",
            "neu",
            "C-E2:\tNeutral state;\t()\nC-E3:\tNeutral state; Frustration;\t(calm)\nC-F1:\tAnger;\t()\n",
        ),
        ("Ses01F_impro01_M000", "xxx", "C-E2:\tSadness;\t()\nC-E3:\tOther;\t(bored)\nC-M1:\tSadness;\t()\n"),
        ("Ses01F_impro01_M001", "ang", "C-E2:\tAnger;\t()\n"),
        ("Ses01F_impro01_M002", "ang", "C-E2:\tHunger;\t()\n"),
    )
    blocks = "\n".join(
        f"[{n}.0000 - {n}.5000]\t{turn}\t{emo}\t[2.5, 2.5, 2.5]\n{raters}" for n, (turn, emo, raters) in enumerate(turns)
    )
    write(root / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt", f"% [START - END] TURN EMOTION [V, A, D]\n\n{blocks}")
    write(root / "Session1/dialog/EmoEvaluation/Categorical/e1.txt", "Ses01F_impro01_F000 :Anger; ()\n")
    write(root / "Session1/dialog/transcriptions/Ses01F_impro01.txt", "Ses01F_impro01_F000 [000.0000-000.5000]: Well now.\n")
    for turn in ("Ses01F_impro01_F000", "Ses01F_impro01_M000", "Ses01F_impro01_M002", "Ses01F_impro01_M009"):
        sound(root / "Session1/sentences/wav/Ses01F_impro01" / f"{turn}.wav")
    evaluation = "[0.0000 - 0.5000]\tSes05M_script01_1b_F005\texc\t[4.0, 4.0, 3.0]\nC-E4:\tExcited;\t()\nA-E4:\tval 4; act 4; dom 3;\t()\n"
    write(root / "Session5/dialog/EmoEvaluation/Ses05M_script01_1b.txt", evaluation)
    sound(root / "Session5/sentences/wav/Ses05M_script01_1b/Ses05M_script01_1b_F005.wav")


def crema_d(root: Path) -> None:
    for name in ("1001_IEO_HAP_LO", "1002_DFA_ANG_XX", "1076_MTI_SAD_XX", "1001_IEO_HAP_MD", "1099_IEO_HAP_MD"):
        sound(root / "AudioWAV" / f"{name}.wav")
    write(
        root / "VideoDemographics.csv",
        "ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,-,-\n1002,21,Female,-,-\n1076,25,Female,-,-\n",
    )
    head = '"","A","D","F","H","N","S","fileName","numResponses","agreement","emoVote"\n'
    rows = (
        '"100001",0,0,0,3,6,0,"1001_IEO_HAP_LO",9,0.67,"N"\n"200001",0,0,0,9,1,0,"1001_IEO_HAP_LO",10,0.9,"H"\n'
        '"100002",5,5,0,0,0,0,"1002_DFA_ANG_XX",10,0.5,"A:D"\n"100003",0,0,0,0,0,9,"1076_MTI_SAD_XX",9,1,"S"\n'
        '"100004",0,0,0,0,0,9,"1003_DFA_SAD_XX",9,1,"S"\n'
    )
    write(root / "processedResults/tabulatedVotes.csv", head + rows)
    responses = "".join(
        f'"{n}",{rater},1,"H_50",2000,{query},0,1,1,4,"1001_IEO_HAP_LO",{rater}01,"{emotion}",50,"H","LO",20\n'
        for n, (rater, query, emotion) in enumerate(((7, 1, "H"), (8, 1, "N"), (7, 2, "A")))
    )
    columns = (
        '"","localid","pos","ans","ttr","queryType","numTries","clipNum","questNum","subType","clipName","sessionNums",'
        '"respEmo","respLevel","dispEmo","dispVal","dispLevel"\n'
    )
    write(root / "finishedResponses.csv", columns + responses)


def msp_improv(root: Path) -> None:
    names = ("S01A-F01-P-FM01", "S02H-M06-S-MM03")
    for name in (*names, "S03N-F01-R-FF02", "S04N-F01-R-FF02"):
        sound(root / f"session{name[6]}" / name[:4] / name[9] / f"MSP-IMPROV-{name}.wav")
    text = (
        "UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:2.500000; V:3.100000; D:2.900000 ; N:4.000000;\n"
        "WORKER0001; Angry; Angry,Frustrated; A:2.0; V:3.0; D:3.0; N:4.0;\n"
        "WORKER0002; Neutral; Neutral,Other; A:2.0; V:3.0; D:3.0; N:4.0;\n"
        "WORKER0003; Neutral; Neutral; A:2.0; V:3.0; D:3.0; N:4.0;\n\n"
        "UTD-IMPROV-S02H-M06-S-MM03.avi; X; A:2.5; V:3.1; D:2.9; N:4.0;\nW4; Other; Excited, Happy; A:2; V:3; D:3; N:4;\n\n"
        "UTD-IMPROV-S03N-F01-R-FF02.avi; N; A:2.5; V:3.1; D:2.9; N:4.0;\nW4; Hungry; Hungry; A:2; V:3; D:3; N:4;\n\n"
        "UTD-IMPROV-S05N-F01-R-FF02.avi; N; A:2.5; V:3.1; D:2.9; N:4.0;\nW4; Neutral; Neutral; A:2; V:3; D:3; N:4;\n"
    )
    write(root / "Evalution.txt", text)


def msp_podcast(root: Path) -> None:
    names = [f"MSP-PODCAST_0001_000{n}" for n in range(1, 7)]
    sides = ("Train", "Development", "Test1", "Test2", "Nowhere", "Train")
    head = "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set\n"
    rows = [
        f"{name}.wav,{letter},4.0,4.0,4.0,{n if n else 'Unknown'},{sex},{side}\n"
        for n, (name, letter, sex, side) in enumerate(
            zip(names, "NHXANN", ("Unknown", *["Female", "Male"] * 3), sides, strict=False)
        )
    ]
    write(root / "Labels/labels_consensus.csv", head + "".join(rows))
    answer = {
        "EmoClass_Major": "Neutral",
        "EmoClass_Second": "Neutral,Other-bit tired, slow",
        "EmoAct": 4,
        "EmoVal": 4,
        "EmoDom": 4,
    }
    other = answer | {"EmoClass_Major": "Happy", "EmoClass_Second": "Happy,Amused"}
    write(root / "Labels/labels_detailed.json", json.dumps({f"{name}.wav": {"W1": answer, "W2": other} for name in names}))
    write(root / f"Transcripts/{names[0]}.txt", "so we went there\n")
    for name in (*names[:5], "MSP-PODCAST_0009_0001"):
        sound(root / "Audios" / f"{name}.wav")


def emo_superb(root: Path) -> None:
    folder = root / "Secondary"
    write(folder / "config.json", json.dumps({"categorical": {"emo_type": ["angry", "sad", "neutral", "happy"]}}))
    head = "FileName,angry,sad,neutral,happy,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set\n"
    clip = "MSP-IMPROV-S01A-F0{n}-P-FM01.wav,{shares},3,3,3,F0{n},Female,{side}\n"
    sure, torn = "0.95,0.016667,0.016667,0.016667", "0.483333,0.016667,0.483333,0.016667"
    for fold, sides in enumerate(
        (("Train", "Development", "Test", "Train"), ("Development", "Test", "Train", "Train")), start=1
    ):
        shares = (sure, torn, sure if fold == 1 else torn, sure)
        rows = "".join(
            clip.format(n=n, shares=s, side=side) for n, (s, side) in enumerate(zip(shares, sides, strict=True), start=1)
        )
        write(folder / f"labels_consensus_{fold}.csv", head + rows)
    for n in (1, 2, 3):
        sound(root / "Audios" / f"MSP-IMPROV-S01A-F0{n}-P-FM01.wav")


def nnime(root: Path) -> None:
    for name in ("angry_01_A_002", "happy_01_B_004", "sad_02_A_001"):
        sound(root / "Audios" / f"{name}.wav")
    rows = "angry_01_A_002.wav,P1,M,2,1,0\nhappy_01_B_004.wav,P2,F,0,0,4\nhappy_09_B_004.wav,P2,F,0,0,4\n"
    write(root / "table.csv", f"file,who,gender,angry,frustrated,joy\n{rows}")
    mapping = (
        'corpus = "NNIME"\ntable = "table.csv"\naudio = "Audios"\n[columns]\nclip = "file"\nspeaker = "who"\nsex = "gender"\n'
        '[votes]\nangry = "anger"\nfrustrated = "frustration"\njoy = "joy"\n'
    )
    write(root / "columns.toml", mapping)


def biic_podcast(root: Path) -> None:
    names = [f"BIIC-PODCAST_1000_0321_000{n}" for n in (3, 4, 5)]
    for name in names:
        sound(root / "Audios" / f"{name}.wav")
    rows = "".join(
        f"{name}.wav,{label},{split},S{n},{rater}\n"
        for n, (name, label, split) in enumerate(zip(names, ("0", "7", "9"), ("Train", "Validation", "Test"), strict=True))
        for rater in ("r1", "r2")
    )
    write(root / "Labels/labels.csv", f"FileName,EmoClass,Split_Set,Speaker,Rater\n{rows}")
    mapping = (
        'corpus = "BIIC-PODCAST"\ntable = "Labels/labels.csv"\naudio = "Audios"\nannotation = "primary"\n'
        '[columns]\nclip = "FileName"\nemotion = "EmoClass"\nsplit = "Split_Set"\nspeaker = "Speaker"\nrater = "Rater"\n'
        '[labels]\n0 = "anger"\n7 = "neutral"\n[splits]\nValidation = "development"\n'
    )
    write(root / "columns.toml", mapping)


NOT_NAMED = "the file name is not of"
NO_AUDIO = "there is no audio file"
NO_LABEL = "the corpus gives no label for it"

MINIATURES: dict[str, Miniature] = {
    "manifest": Miniature(manifest, ("a",), {"gone.wav": NO_AUDIO}),
    "emodb": Miniature(
        emodb,
        ("03a01Wa", "08b10Nc", "16a02Tb"),
        {"07a01Wa.wav": "no speaker 07", "03a01Xa.wav": "no emotion letter X", "hello.wav": NOT_NAMED},
    ),
    "ravdess": Miniature(
        ravdess,
        ("03-01-01-01-01-01-01", "03-01-06-01-02-01-12"),
        {
            "03-02-06-01-02-01-12.wav": "only audio-only speech",
            "03-01-09-01-02-01-12.wav": "no emotion 09",
            "03-01-01-01-01-02-02.wav": "names actor 02 but lies in Actor_01",
        },
    ),
    "jl-corpus": Miniature(
        jl_corpus,
        ("female1_angry_10a_1", "male2_encouraging_3b_2"),
        {"male2_bored_3b_2.wav": "no emotion bored", "female1_angry.wav": NOT_NAMED},
    ),
    "esd": Miniature(
        esd,
        ("0001_000351", "0011_000351"),
        {"0011_001051.wav": "lies under Sad, but 0011.txt labels it Neutral", "0011_000001.wav": "no emotion Bored"},
    ),
    "emns": Miniature(
        emns,
        ("recorded_0", "recorded_1"),
        {"recorded_2.webm": NO_AUDIO, "recorded_3.webm": "'Hungry' is not known", "recorded_7.webm": NO_LABEL},
    ),
    "enterface": Miniature(
        enterface,
        ("s1_an_1", "s3_ha_2", "s6_fe_4"),
        {"s6_su_5.avi": "names surprise but lies under fear", "s5_fe_5.avi": "names subject 5 but lies in subject 6"},
    ),
    "iemocap": Miniature(
        iemocap,
        ("Ses01F_impro01_F000", "Ses01F_impro01_M000", "Ses05M_script01_1b_F005"),
        {
            "Ses01F_impro01_M001": NO_AUDIO,
            "Ses01F_impro01_M002": "'Hunger' is not known",
            "Ses01F_impro01_M009.wav": NO_LABEL,
            **{f"Session{n}": "the session is missing" for n in (2, 3, 4)},
        },
    ),
    "crema-d": Miniature(
        crema_d,
        ("1001_IEO_HAP_LO", "1002_DFA_ANG_XX"),
        {
            "1076_MTI_SAD_XX.wav": "known to be silent",
            "1001_IEO_HAP_MD.wav": "no votes on its voice",
            "1099_IEO_HAP_MD.wav": "no actor 1099",
            "1003_DFA_SAD_XX": "no audio file",
        },
    ),
    "msp-improv": Miniature(
        msp_improv,
        ("MSP-IMPROV-S01A-F01-P-FM01", "MSP-IMPROV-S02H-M06-S-MM03"),
        {
            "S03N-F01-R-FF02": "'Hungry' is not known",
            "S05N-F01-R-FF02": NO_AUDIO,
            "MSP-IMPROV-S04N-F01-R-FF02.wav": NO_LABEL,
        },
    ),
    "msp-podcast": Miniature(
        msp_podcast,
        tuple(f"MSP-PODCAST_0001_000{n}" for n in (1, 2, 3, 4)),
        {
            "MSP-PODCAST_0001_0005.wav": "no split Nowhere",
            "MSP-PODCAST_0001_0006.wav": NO_AUDIO,
            "MSP-PODCAST_0009_0001.wav": NO_LABEL,
        },
    ),
    "emo-superb": Miniature(
        emo_superb,
        ("MSP-IMPROV-S01A-F01-P-FM01", "MSP-IMPROV-S01A-F02-P-FM01"),
        {"S01A-F03-P-FM01": "different labels", "S01A-F04-P-FM01": NO_AUDIO},
    ),
    "nnime": Miniature(nnime, ("angry_01_A_002", "happy_01_B_004"), {"happy_09_B_004": NO_AUDIO, "sad_02_A_001.wav": NO_LABEL}),
    "biic-podcast": Miniature(
        biic_podcast,
        ("BIIC-PODCAST_1000_0321_0003", "BIIC-PODCAST_1000_0321_0004"),
        {"BIIC-PODCAST_1000_0321_0005": "the emotion '9' is not known"},
    ),
}
#: What is asked of a reader whose miniature holds no labels of its usual annotation.
ANNOTATIONS = {"emo-superb": "secondary"}
