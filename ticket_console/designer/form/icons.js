// The icons of the form designer by name, each imported for itself so that no other icon is loaded.
import {
  Archive, ArrowLeft, ArrowRight, Barcode, BellRing, Building2, Bug, Calendar, CalendarCheck, CalendarClock, CalendarDays, Camera, Car, Check, ChevronDown, ChevronLeft, ChevronRight, CircleAlert, CircleCheck, CircleDashed,
  CircleDot, CircleX, ClipboardCheck, ClipboardList, ClipboardPaste, CloudOff, Cog, Columns2, Columns3, ContactRound, Copy, Dog, Ellipsis, Eye, EyeOff, FileText, FileUp, GitCompareArrows, GitMerge, GripVertical, Globe, HardDrive,
  Hash, Headset, Heading, Heading2, History, Hourglass, House, Image, Info, KeyRound, Languages, Layers, Lightbulb, Link, List, ListChecks, ListTodo, Lock, MapPin, MapPinHouse, MapPinOff, MessageCircleQuestion, MessageSquareWarning,
  Milestone, Monitor, Move, Package, PackagePlus, PackageSearch, PanelTop, Paperclip, Phone, PhoneCall, Plus, QrCode, RadioTower, Redo2, Replace, Rocket, RotateCcw, Rows3, Ruler, Save, ScanBarcode, ScanLine, ScrollText, Search, Settings2,
  ShieldCheck, Sigma, Signature, Smartphone, Snowflake, Split, Square, SquareCheck, SquareCheckBig, SquareDashedMousePointer, SquareMousePointer, SquarePen, Star, Store, Table, Table2, Tags, TextCursorInput, TextInitial, ThumbsUp,
  Ticket, Timer, ToggleLeft, Trash2, Truck, Type, Undo2, UserRound, UserSearch, Users, Utensils, Video, Wallet, WalletMinimal, Banknote, Coins, Workflow, Wrench, X, Zap, CircleDollarSign, Calculator, AlignLeft, TextQuote, Clock, Text,
  ListFilter, SquareStack, Stamp, PenLine, PenOff, Boxes, Map, LocateFixed, NotebookText, Download, Upload, BookmarkPlus, MapPinned, BadgeDollarSign, Cpu, SquareFunction, Sparkles, GraduationCap, PartyPopper, Plug, Droplets, Flame, Stethoscope, Shirt,
} from "lucide-react";

const ICONS = {
  Archive, ArrowLeft, ArrowRight, Barcode, BellRing, Building2, Bug, Calendar, CalendarCheck, CalendarClock, CalendarDays, Camera, Car, Check, ChevronDown, ChevronLeft, ChevronRight, CircleAlert, CircleCheck, CircleDashed,
  CircleDot, CircleX, ClipboardCheck, ClipboardList, ClipboardPaste, CloudOff, Cog, Columns2, Columns3, ContactRound, Copy, Dog, Ellipsis, Eye, EyeOff, FileText, FileUp, GitCompareArrows, GitMerge, GripVertical, Globe, HardDrive,
  Hash, Headset, Heading, Heading2, History, Hourglass, House, Image, Info, KeyRound, Languages, Layers, Lightbulb, Link, List, ListChecks, ListTodo, Lock, MapPin, MapPinHouse, MapPinOff, MessageCircleQuestion, MessageSquareWarning,
  Milestone, Monitor, Move, Package, PackagePlus, PackageSearch, PanelTop, Paperclip, Phone, PhoneCall, Plus, QrCode, RadioTower, Redo2, Replace, Rocket, RotateCcw, Rows3, Ruler, Save, ScanBarcode, ScanLine, ScrollText, Search, Settings2,
  ShieldCheck, Sigma, Signature, Smartphone, Snowflake, Split, Square, SquareCheck, SquareCheckBig, SquareDashedMousePointer, SquareMousePointer, SquarePen, Star, Store, Table, Table2, Tags, TextCursorInput, TextInitial, ThumbsUp,
  Ticket, Timer, ToggleLeft, Trash2, Truck, Type, Undo2, UserRound, UserSearch, Users, Utensils, Video, Wallet, WalletMinimal, Banknote, Coins, Workflow, Wrench, X, Zap, CircleDollarSign, Calculator, AlignLeft, TextQuote, Clock, Text,
  ListFilter, SquareStack, Stamp, PenLine, PenOff, Boxes, Map, LocateFixed, NotebookText, Download, Upload, BookmarkPlus, MapPinned, BadgeDollarSign, Cpu, SquareFunction, Sparkles, GraduationCap, PartyPopper, Plug, Droplets, Flame, Stethoscope, Shirt,
};

// "git_branch" and "git-branch" are the icon GitBranch; an unknown name is a dashed circle.
export function iconOf(name) {
  const pascal = (name || "").split(/[-_]/).map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join("");
  return ICONS[pascal] ?? CircleDashed;
}
