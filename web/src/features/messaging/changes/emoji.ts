// Emoji to choose from, with the words by which they are found in both languages. Not all there are: whoever wants another one types it.

const LIST = `👍 ok setuju jempol like yes thumb
👎 tidak dislike no
❤️ cinta hati love heart
🧡 jingga hati orange heart
💛 kuning hati yellow heart
💚 hijau hati green heart
💙 biru hati blue heart
💜 ungu hati purple heart
🖤 hitam hati black heart
🤍 putih hati white heart
💔 patah hati broken heart
💯 seratus hundred perfect
✅ selesai sudah done check
❌ salah batal wrong cancel
❗ penting important
❓ tanya question
🔥 api keren fire hot
✨ kilau sparkle
🎉 selamat pesta party congratulations
🥳 pesta ulang tahun party birthday
😀 senyum smile grin
😄 gembira happy
😁 girang beam
😅 lega keringat sweat relief
😂 tertawa lucu laugh joy funny
🤣 terbahak ngakak rofl laugh
🙂 senyum slight smile
😉 kedip wink
😊 malu senang blush
😇 malaikat angel
🥰 sayang love
😍 suka love eyes
😘 cium kiss
😋 lezat enak yummy
😜 ledek tongue wink
🤗 peluk hug
🤔 pikir think
🤭 tutup mulut giggle
🤫 diam hush
😐 datar neutral
🙄 putar mata eye roll
😏 sinis smirk
😴 tidur kantuk sleep
🤒 sakit sick fever
🤧 bersin flu sneeze
🥵 panas hot
🥶 dingin cold
😎 keren cool sunglasses
🤓 kutu buku nerd
😕 bingung confused
😟 cemas worried
😮 kaget wow surprised
😲 terkejut astonished
😳 tersipu flushed
🥺 mohon pleading
😢 sedih nangis sad cry
😭 nangis menangis sob cry
😱 takut jerit scream fear
😡 marah angry
😤 kesal huff
🤯 meledak mind blown
😬 kikuk grimace
🤝 sepakat jabat handshake deal
🙏 terima kasih maaf tolong doa thanks please pray
👏 tepuk tangan clap applause
🙌 hore hooray
💪 kuat semangat strong
👌 oke ok perfect
✌️ damai peace
🤞 semoga fingers crossed luck
👋 halo dadah wave hello bye
👀 lihat mata eyes look
🫡 siap hormat salute
🤷 entah shrug
🤦 aduh facepalm
🙋 saya tunjuk raise hand
🫶 hati tangan heart hands
👶 bayi baby
👨‍👩‍👧‍👦 keluarga family
🌹 mawar bunga rose flower
🌸 bunga sakura blossom flower
🌻 matahari sunflower
🌈 pelangi rainbow
☀️ cerah matahari sun
🌙 bulan moon
⭐ bintang star
🌧️ hujan rain
⚡ kilat lightning
🌊 ombak laut wave sea
🐱 kucing cat
🐶 anjing dog
🐔 ayam chicken
🐟 ikan fish
🦋 kupu butterfly
🍚 nasi rice
🍜 mi bakso noodle soup
🍢 sate skewer
🍕 pizza
🍔 burger
🌶️ cabai pedas chili spicy
🥭 mangga mango
🍌 pisang banana
🥥 kelapa coconut
🍉 semangka watermelon
🍰 kue cake
🎂 ulang tahun tart birthday cake
🍫 cokelat chocolate
☕ kopi coffee
🍵 teh tea
🧋 boba es teh bubble tea
🍻 bersulang cheers
⚽ bola football soccer
🏸 bulu tangkis badminton
🏆 juara piala trophy winner
🎵 musik lagu music note
🎁 kado hadiah gift
🎈 balon balloon
🎓 lulus wisuda graduate
💍 cincin nikah ring wedding
🕌 masjid mosque
⛪ gereja church
🏠 rumah house home
🏥 rumah sakit hospital
🚗 mobil car
🏍️ motor motorcycle
🚌 bus
🚆 kereta train
✈️ pesawat plane
⛵ perahu kapal boat ship
⏰ jam alarm clock
📅 tanggal kalender calendar date
📍 lokasi tempat location pin
📷 foto kamera photo camera
📞 telepon phone call
💡 ide lampu idea
💰 uang money
🛒 belanja shopping
📚 buku book
✏️ tulis pencil write
🔒 kunci lock
🇮🇩 indonesia merah putih flag bendera`;

export interface Emoji {
  emoji: string;
  words: string;
}

export const EMOJI: readonly Emoji[] = LIST.split('\n').map((line) => {
  const at = line.indexOf(' ');
  return { emoji: line.slice(0, at), words: line.slice(at + 1) };
});

/** Every part of what is searched begins one of its words. */
export function found(search: string): Emoji[] {
  const parts = search.toLowerCase().split(/\s+/).filter(Boolean);
  return EMOJI.filter(({ words }) => parts.every((part) => ` ${words}`.includes(` ${part}`)));
}
